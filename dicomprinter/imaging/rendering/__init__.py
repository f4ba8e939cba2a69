"""Frames of DICOM images as pages: what is stored becomes what is to be seen (PS3.4 N.2, without states of others)."""
