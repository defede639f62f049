"""From token to "activated": what the emulator does about its license when it starts.

`activate` is called once, before `Ready.`; a community start imports nothing beyond this package's light modules.
"""
