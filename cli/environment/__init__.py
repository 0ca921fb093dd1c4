"""The environment record (清洁性): what was observed of the machine that seals, point by point.

A claim of the depositor's, and opened by default, so it says nothing that names the machine, its
network or a person. Each point says how it was looked at. A reader is told PASS (`observed`: what was
looked for was there), FAIL (`not_observed`) or NOT_CHECKED (`not_checked`, and why); nothing is passed over
in silence.
"""
