"""`make bench`: how fast the village is, each figure beside its peer or limit measured in the same run."""
