"""S3 through the identity pool: files of the backend's buckets."""
