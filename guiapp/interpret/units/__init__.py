"""What single units of a network respond to: in a data set, in a picture grown for them, traced back to pixels.

``passes`` runs a network as far as one layer; ``scan`` looks at all units of a layer over many pictures and ``store``
keeps what it found; ``patches`` cuts out what a unit saw where it responded most; ``grow`` climbs from noise to a
picture that excites a unit; ``project`` follows a response back to the pixels; ``field`` measures what a unit sees.
"""
