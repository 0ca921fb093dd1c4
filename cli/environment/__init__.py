"""The environment record (清洁性): what was observed of the machine that seals, point by point.

A claim of the depositor's, and opened by default, so it says nothing that names the machine, its
network or a person. What is not looked at says `not_checked`; nothing is passed over in silence.
"""
