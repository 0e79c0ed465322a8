"""Labels of generated content in files (GB 45438-2025): explicit, for people, and implicit, in a file's metadata.

Written in plain Python over files of strangers, and called in a box: nothing is decoded, every length is held against
what is there, and parts and bytes are counted.

bounded      how a hostile file is read
images       where PNG, JPEG and EXIF keep texts
containers   where RIFF (WebP, WAV), ID3 (MP3) and MP4 keep texts
texts        the explicit label of a text, and the texts of an HTML page
checking     one file, many files, and what an implicit label must say
"""
