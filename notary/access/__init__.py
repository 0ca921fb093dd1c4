"""Requests to see records that were lodged here, and what companies show of their decisions on them."""
