"""Text from outside, as it may be shown: a terminal obeys signs that nobody can print."""


def printable(text: str, instead: str = "?") -> str:
    return "".join(sign if sign.isprintable() else instead for sign in text)
