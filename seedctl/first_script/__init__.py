"""Generate the first seed script of a project: a user, a record and a file that fit its backend.

Candidates for each are tried on a local sandbox in a temporary folder. The sandbox applies the rules of
the user pool, the API and the buckets, so they are not repeated here.
"""
