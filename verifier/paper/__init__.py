"""What people hold in their hands: certificate, exhibit list and report, as PDF.

Everything here needs the extra `pdf` (Typst, the fonts, a QR code maker) and imports it only when a
page is made, so that nothing else of the verifier depends on it. Data goes to the templates as one
JSON value and is never read as markup.
"""
