from attack import expect_refused

THREAD_KEYRING, GET_KEYRING_ID = -1, 0
expect_refused("add_key", 248, b"user", b"attack", b"x", 1, THREAD_KEYRING)
expect_refused("request_key", 249, b"user", b"attack", 0, 0)
expect_refused("keyctl", 250, GET_KEYRING_ID, THREAD_KEYRING, 1)
