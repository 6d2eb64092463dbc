"""Pages of the web as a bot's sources: one page, a sitemap, a bounded crawl.

A source is synchronised in steps, one message and one request after the other; a page's bytes go into the uploads
bucket and from there through ingestion like any file's. docs/decisions/0083-web-sources.md says why.
"""
