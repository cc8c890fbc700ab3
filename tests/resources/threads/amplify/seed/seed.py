"""Twenty users at once through the objects of the backend, each with its own session."""

from concurrent.futures import ThreadPoolExecutor

from seedctl import current_backend

backend = current_backend()
password = "Password123!"


def populate(username: str) -> str:
    user = backend.auth.create_user(username=username, password=password)
    with backend.auth.sign_in(user, password=password) as session:
        assert session.current_user().login_id == username
        assert session.user_id == user.user_id
        return session.user_id


with ThreadPoolExecutor(max_workers=8) as pool:
    ids = list(pool.map(populate, (f"user{n}@example.com" for n in range(20))))
print(len(set(ids)))
