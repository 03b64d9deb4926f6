"""The one list of pages that open without sign-in. Everything else is closed by default."""

from __future__ import annotations

PUBLIC_VIEWS: frozenset[str] = frozenset(
    {
        # alive, ready; metrics ask for their own token
        "healthz",
        "readyz",
        "metrics",
        # the mark in the browser's tab and the sheet of icons
        "core:icons",
        # the MSP's own colour and logo, on the sign-in and on client pages
        "desk:brand",
        "desk:logo",
        # a client's link carries its own 256-bit token
        "portal:status",
        "portal:status_answer",
        "portal:status_file",
        # what a PSA calls: a 256-bit secret in the address, and a signature
        "sync:hook",
        # signing in and out
        "account_login",
        "account_logout",
        "account_request_login_code",
        "account_confirm_login_code",
        "account_inactive",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key",
        "account_reset_password_from_key_done",
        "mfa_authenticate",
        "openid_connect_login",
        "openid_connect_callback",
        "socialaccount_login_cancelled",
        "socialaccount_login_error",
    }
)
"""View names as the resolver spells them."""
