"""What can be wrong with a store.

StorageError
├── StorageAway      cannot be reached now; may come back by itself
└── StorageRefused   wrong password, no right, certificate, address list, schema: a person must act
"""


class StorageError(RuntimeError):
    """Says in one line what is wrong and what to try; never holds a credential."""


class StorageAway(StorageError):
    """The server cannot be reached; bounded retries are worth while."""


class StorageRefused(StorageError):
    """The server answers and refuses; it will not mend itself."""
