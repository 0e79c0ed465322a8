"""Labels of generated content in files (GB 45438-2025): explicit, for people, and implicit, in a file's metadata.

Plain Python for untrusted files, called in a box: nothing is decoded, every length is checked against the file, and
parts and bytes are counted.

bounded      how untrusted files are read
images       where PNG, JPEG and EXIF keep texts
containers   where RIFF (WebP, WAV), ID3 (MP3) and MP4 keep texts
checking     one file, many files, texts and HTML pages, and what an implicit label must say
"""
