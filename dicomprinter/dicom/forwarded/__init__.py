"""DICOM files that are forwarded: any Storage object goes on as its own class, with what a job has changed of it.

Nothing large is read into memory, whatever the size of the file. Nothing is imported here: the decoder's child asks
`beginning` about every file, and is to load pydicom only when a DICOM file comes.
"""
