from seedctl import get_secret

password = get_secret("password"
