"""`python -m appliance` is the command `rehabbox`."""

from appliance.cli import main

main()
