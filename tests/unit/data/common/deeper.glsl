// Found beside the file that includes it.
