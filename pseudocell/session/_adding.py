"""AddingMixin: further images in a project."""

from pseudocell.session._annotations import Annotations

__all__ = ["AddingMixin"]


class AddingMixin:
    """The images of a session, with the points of each."""

    def add_images(self, images):
        """Take further images into the project; those that are in it stay as they are.

        Not to be called while a model is trained or looks at images.

        Parameters
        ----------
        images : str, path, list of them or of arrays, or dict of str to array
            As for `Session.create`.

        Returns
        -------
        numbers : list of int
            The new number of each image that was there: images stay in the natural
            order of their names.

        Raises
        ------
        ValueError
            If one cannot be read, or has the name of one that is there.
        """
        if self._watches:
            raise ValueError("Images can be added when the work is done or cancelled.")
        self._pictures.check_same()
        pictures = self._pictures.and_also(images, self.folder)
        index = {_key(image): i for i, image in enumerate(pictures.images)}
        numbers = [index[_key(image)] for image in self.images]
        annotations = [Annotations.make() for _ in pictures.images]
        for number, one in zip(numbers, self._annotations, strict=True):
            annotations[number] = one
        with self._lock:
            renamed = [pictures.labels[number] for number in numbers] != self.names
            self._pictures, self._annotations = pictures, annotations
            self.images, self.names = pictures.images, pictures.labels
            if renamed:
                # Two files of one name: both have their folder in the name from now on.
                self._project.write_points(self.names, annotations)
            self._write_state()
            self._history.renumber(numbers)
            self._found = {numbers[i]: one for i, one in self._found.items()}
            self._looks = {numbers[i]: one for i, one in self._looks.items()}
            self._seen, self._suggested = {numbers[i] for i in self._seen}, None
        return numbers


def _key(image):
    return image.path, image.frame
