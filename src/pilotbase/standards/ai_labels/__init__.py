"""Labels of generated content in files (GB 45438-2025): explicit, for people, and implicit, in a file's metadata.

Plain Python for untrusted files, called in a box: nothing is decoded, every length is checked against the file, and
parts and bytes are counted.

containers   where files keep texts, and how untrusted files are read
checking     one file, many files, texts and HTML pages, and what an implicit label must say
"""
