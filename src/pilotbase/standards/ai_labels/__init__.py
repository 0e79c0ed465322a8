"""Labels of generated content in files (GB 45438-2025): explicit, for people, and implicit, in a file's metadata.

Written in plain Python over files of whomever, and called in a box: nothing is decoded, every length is held against
what is there, and parts and bytes are counted.

bounded      how a hostile file is read
field        what an implicit label must say
tiff         texts of EXIF
png, jpeg, riff (WebP, WAV), id3 (MP3), mp4   where each format keeps texts
web_page     texts of an HTML page
words        the explicit label of a text
checking     one file, many files
"""
