from seedctl import get_secret, set_secret

print(set_secret("made-by-script", "värde ✓ 1"))
print(len(get_secret("made-by-script")))
