"""Company keys."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from mizheng.notary.companies.enrolments import EnrolmentRequest
from mizheng.notary.errors import Problem
from mizheng.notary.routes.callers import AUTH_PROBLEMS, EnrollerOf, ServiceOf
from mizheng.notary.routes.problems import LOG_PROBLEMS, document
from mizheng.notary.routes.schemas import KeyAnswer, KeyRequest
from mizheng.verifier.canonical import from_base64, to_base64
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.signature import PublicKey

router = APIRouter(prefix="/v1/keys", tags=["keys"])


@router.post(
    "",
    status_code=201,
    response_model=KeyAnswer,
    responses={
        200: {"model": KeyAnswer, "description": "The key is enrolled and active already."},
        **document(
            *AUTH_PROBLEMS,
            "body-too-large",
            "request-malformed",
            "key-malformed",
            "proof-wrong",
            "key-exists",
            "key-known",
            "replaces-wrong",
            "quota-in-all",
            *LOG_PROBLEMS,
            "issuer-key-replaced",
        ),
    },
)
def enrol_key(asked: KeyRequest, caller: EnrollerOf, service: ServiceOf) -> Response:
    """Enrol a signing key: the first one, one that rotates the present one, or, allowed by the operator, a
    lost one's
    successor. The replaced key is revoked right behind the enrolment; what it signed before stays valid.
    """
    try:
        key = PublicKey.from_base64(asked.public_key)
    except MizhengError:
        raise Problem("key-malformed") from None
    try:
        proof = from_base64(asked.proof)
        replaces_proof = None if asked.replaces_proof is None else from_base64(asked.replaces_proof)
    except MizhengError:
        raise Problem("proof-wrong") from None
    enrolled = service.keys.enrol(caller, EnrolmentRequest(key, proof, asked.replaces, replaces_proof))
    return JSONResponse(
        {
            "enrolment": to_base64(enrolled.envelope),
            "leaf_index": enrolled.leaf_index,
            "tlog_proof": enrolled.tlog_proof.decode(),
        },
        201 if enrolled.is_new else 200,
    )
