"""Opens recordings, images, ink and video; the only place that touches a media file."""
