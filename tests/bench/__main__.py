"""Everything that `make bench` measures, one after the other."""

from tests.bench import bench_api, bench_chat, bench_enumeration, bench_ingestion, bench_search, bench_streams

if __name__ == "__main__":
    bench_api.main()
    bench_search.main(["--chunks", "1000", "100000"])
    bench_chat.main([])
    bench_streams.main([])
    bench_enumeration.main()
    bench_ingestion.main([])
