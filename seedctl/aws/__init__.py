"""AWS: credentials, regions, endpoints, quotas, retries, and translation of botocore's errors.

The only package that imports botocore. botocore takes longer to load than all of seedctl, so this
package imports nothing by itself: import its modules where they are needed.
"""
