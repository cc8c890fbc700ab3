"""The first seed script of a project: a user, a record and a file that fit its backend.

What the script does is tried on a local sandbox in a temporary folder first. So no rule of a user
pool, an API or a bucket is stated here a second time: the sandbox applies them.
"""
