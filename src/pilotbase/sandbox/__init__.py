"""The box for strangers' code, and where it is opened.

box        one isolated program, the environments that it runs in, archives and spreadsheets of strangers
adapters   what runs an application in its box, by its form
endpoints  applications that answer at an address of their supplier
engines    where boxes are opened: this machine, or what a plug-in adds
"""
