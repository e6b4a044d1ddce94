"""One file a command of `rehabbox`; each is thin: it reads its arguments, calls the library, prints."""
