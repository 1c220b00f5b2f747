"""Pictures in: files, folders, the clipboard, drawings, videos, cameras, network streams; and recordings out."""
