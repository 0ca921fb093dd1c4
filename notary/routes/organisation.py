"""The calling organisation and the notary it talks to."""

import time

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from mizheng.notary.companies.organisations import load_organisation
from mizheng.notary.database import reading
from mizheng.notary.routes.callers import AUTH_PROBLEMS, CallerOf, ServiceOf
from mizheng.notary.routes.problems import document
from mizheng.notary.routes.schemas import OrganisationAnswer

router = APIRouter(prefix="/v1/organisation", tags=["organisation"])


@router.get("", response_model=OrganisationAnswer, responses=document(*AUTH_PROBLEMS))
def get_organisation(caller: CallerOf, service: ServiceOf) -> JSONResponse:
    """Who the API key belongs to, which key is enrolled, and how the log and its chains are called."""
    with reading(service.engine) as connection:
        organisation = load_organisation(connection, caller.organisation_id)
    instance = service.instance
    return JSONResponse(
        {
            **organisation.depositor.to_json(),
            "origin": instance.origin,
            "log_vkey": instance.signer.vkey,
            "issuer_public_key": instance.keys.issuer.public.to_base64(),
            "active_keyid": organisation.active_keyid,
            "chains": service.chains.references(),
            "limits": None if caller.quota is None else caller.quota.to_json(time.time()),
        }
    )
