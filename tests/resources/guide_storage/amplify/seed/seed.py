import random

from seedctl import auth, get_secret, sign_in_user, storage

username = get_secret("username")
password = get_secret("password")

sign_in_user(username=username, password=password, sign_in_flow="Password")

storage.upload_data(f"pictures/{random.random()}", f"My first content created by {username}")

page = storage.list("pictures/", page_size=1000)
print(page.items)

auth.sign_out()
