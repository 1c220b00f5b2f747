"""Attacks: small changes of a picture that make a network say something else, and how much a network withstands.

``options`` says what can be asked (without torch), ``space`` what a picture is to an attack, ``methods`` how each one
goes step by step, ``run`` carries one out, ``patch`` pastes, ``robust`` measures accuracy against the size of the
change.
"""
