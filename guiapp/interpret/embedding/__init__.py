"""What lies close to what: the outputs of a layer over many pictures, as maps in the plane and as neighbours.

``pictures`` says which pictures, ``features`` runs the network on them, ``plane`` (PCA and two chosen units), ``tsne``
and ``umap_map`` lay them out, ``align`` turns a map to lie as the one before, ``distance`` finds neighbours, ``cloud``
finds points of a map by their place. ``study`` puts these together for a panel, ``probe`` answers for one picture.
"""
