"""The words that a report's template sets, by the key that it uses."""

from __future__ import annotations

from ..words import N_
from .comparison import LABELS as _COMPARISON
from .custody import LABELS as _CUSTODY

LABELS = {
    **_COMPARISON,
    **_CUSTODY,
    "title": N_("Technical verification report"),
    "not_an_opinion": N_(
        "Made by software. It is neither a judicial appraiser's opinion (司法鉴定意见书) nor a notarial "
        "certificate (公证书), which only licensed bodies issue."
    ),
    "examined_at": N_("Examined"),
    "by_own_clock": N_("by the examiner's clock"),
    "page": N_("Page {page} of {pages}"),
    "trial": N_("TRIAL, no evidential value"),
    "trial_notice": N_("The evidence rests on a chain for trying: no time in this report is evidence."),
    "result": N_("Result"),
    "missing": N_("Still needed for a valid verdict"),
    "commission": N_("Commission"),
    "commission_note": N_("To be filled in by whoever is commissioned."),
    "report_number": N_("Report number"),
    "commissioner": N_("Commissioned by"),
    "matter": N_("Matter and case number"),
    "commissioned_at": N_("Commissioned on"),
    "question": N_("Question put"),
    "material": N_("Material"),
    "material_note": N_(
        "Digests were computed before the check and again after it. Names are those of the files handed in."
    ),
    "unchanged": N_("after the check: the same"),
    "changed": N_("AFTER THE CHECK: CHANGED"),
    "bytes": N_("bytes"),
    "opened": N_("What is opened"),
    "member": N_("member"),
    "name": N_("name"),
    "inclusion": N_("belongs to the commitment"),
    "original": N_("file"),
    "nothing": N_("nothing"),
    "method": N_("Means"),
    "software": N_("Software"),
    "software_digest": N_("Digest of its code"),
    "self_test": N_("Self-test"),
    "command": N_("Command"),
    "statement": N_("What the statement says"),
    "times": N_("Times proven"),
    "checks": N_("Checks"),
    "checks_note": N_(
        "Each with the values compared and, where stock tools can do it, the commands to repeat it. Commands "
        "run in bash, in a folder that the bundle was unpacked to, with the trust file beside that folder as "
        "../trust.toml and the bundle as ../bundle.zip, after the functions of annex B were entered."
    ),
    "repeat": N_("To repeat"),
    "more": N_("and {count} more in annex A"),
    "conclusions": N_("Conclusions"),
    "conclusion_1": N_("1. Unchanged since anchoring (Online Litigation Rules Art. 16)"),
    "conclusion_2": N_("2. The time before anchoring (Art. 18): for the court to weigh"),
    "no_supports": N_("nothing could be read that would speak for it"),
    "not_proven": N_("Not proven by any bundle"),
    "challenges": N_("What the other side will ask"),
    "challenges_note": N_(
        "Evidence for and against, from this very report. Weighing it is not for software."
    ),
    "speaks_for": N_("For"),
    "speaks_against": N_("Against"),
    "is_open": N_("Open"),
    "no_evidence": N_("nothing in this report"),
    "court": N_("What a court asks for"),
    "court_note": N_(
        "NOT_PROVIDED: it was not given, by the depositor or, where it is about the platform, by the "
        "platform. NOT_CHECKED: it was not looked at, or could not be, and counts for nothing."
    ),
    "requirement": N_("Requirement"),
    "place": N_("Where it stands"),
    "state": N_("In this bundle"),
    "opinion": N_("Opinion"),
    "opinion_note": N_("The appraiser's alone. Left blank; no software fills it in."),
    "examiner": N_("Examiner"),
    "licence": N_("Licence number"),
    "signature": N_("Signature and seal"),
    "date": N_("Date"),
    "annex_a": N_("Annex A: raw values"),
    "annex_b": N_("Annex B: functions that the commands use"),
    "annex_b_note": N_(
        "bash with coreutils, sed and OpenSSL 3.0 or later; rpc asks a node of your choice, whose address is "
        "NODE. A trial chain has no node to ask."
    ),
}
