"""Part of a plug-in as small as one can be."""
