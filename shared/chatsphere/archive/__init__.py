"""The archive: rows as Parquet files in a bucket, what is in which file, and their way back."""
