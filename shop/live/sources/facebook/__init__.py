"""Facebook: the comments of a page's live video, told by notices and read from the Graph API."""
