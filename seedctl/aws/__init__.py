"""AWS: credentials, regions, endpoints, quotas, retries, and botocore's errors made into ours.

The only package that imports botocore, which takes longer to load than all of seedctl: its modules
are imported one by one, where they are needed.
"""
