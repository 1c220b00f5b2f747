"""Pictures in: files, folders, the clipboard, drawings, data-set samples."""
