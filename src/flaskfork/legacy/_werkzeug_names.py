"""The table of names that Werkzeug, Jinja, itsdangerous and MarkupSafe removed."""

from __future__ import annotations

from ._names import Name
from ._names import Table
from ._names import unmoved

_URL_FUNCTIONS = {
    "BaseURL": "'urllib.parse.SplitResult'",
    "BytesURL": "'urllib.parse.SplitResultBytes'",
    "Href": "'flask.url_for' or 'urllib.parse.urlencode'",
    "URL": "'urllib.parse.SplitResult'",
    "url_decode": "'urllib.parse.parse_qs'",
    "url_decode_stream": "'urllib.parse.parse_qs'",
    "url_encode": "'urllib.parse.urlencode'",
    "url_encode_stream": "'urllib.parse.urlencode'",
    "url_fix": "'werkzeug.urls.iri_to_uri'",
    "url_join": "'urllib.parse.urljoin'",
    "url_parse": "'urllib.parse.urlsplit'",
    "url_quote": "'urllib.parse.quote'",
    "url_quote_plus": "'urllib.parse.quote_plus'",
    "url_unparse": "'urllib.parse.urlunsplit'",
    "url_unquote": "'urllib.parse.unquote'",
    "url_unquote_plus": "'urllib.parse.unquote_plus'",
}
_URLS = {
    name: Name(f".urls:{name}", "Werkzeug 3.0", instead)
    for name, instead in _URL_FUNCTIONS.items()
}
_URLS["Href"] = _URLS["Href"].gone("Werkzeug 2.1")
_REQUEST_MIXINS = {
    name: Name(f".mixins:{name}", "Werkzeug 2.1", "'werkzeug.wrappers.Request'")
    for name in (
        "AcceptMixin",
        "AuthorizationMixin",
        "CommonRequestDescriptorsMixin",
        "ETagRequestMixin",
        "PlainRequest",
        "StreamOnlyMixin",
        "UserAgentMixin",
    )
}
_RESPONSE_MIXINS = {
    name: Name(f".mixins:{name}", "Werkzeug 2.1", "'werkzeug.wrappers.Response'")
    for name in (
        "CommonResponseDescriptorsMixin",
        "ETagResponseMixin",
        "ResponseStreamMixin",
        "WWWAuthenticateMixin",
    )
}
_BASES = {
    "BaseRequest": Name(
        "werkzeug.wrappers:Request", "Werkzeug 2.1", "'werkzeug.wrappers.Request'"
    ),
    "BaseResponse": Name(
        "werkzeug.wrappers:Response", "Werkzeug 2.1", "'werkzeug.wrappers.Response'"
    ),
    **_REQUEST_MIXINS,
    **_RESPONSE_MIXINS,
}
_PATH_INFO = {
    name: Name(f".wsgi:{name}", "Werkzeug 2.3", "code of your own")
    for name in (
        "extract_path_info",
        "get_query_string",
        "get_script_name",
        "peek_path_info",
        "pop_path_info",
    )
}
_STREAMS = {
    name: Name(f".wsgi:{name}", "Werkzeug 3.0", "'iter(stream)'")
    for name in ("make_chunk_iter", "make_line_iter")
}
_MIDDLEWARE = {
    name: Name(
        f"werkzeug.middleware.{module}:{name}",
        "Werkzeug 1.0",
        f"'werkzeug.middleware.{module}.{name}'",
    )
    for name, module in {
        "DispatcherMiddleware": "dispatcher",
        "ProxyMiddleware": "http_proxy",
        "SharedDataMiddleware": "shared_data",
    }.items()
}
_UNESCAPE = Name("html:unescape", "Werkzeug 2.1", "'html.unescape'")
_COOKIE_DATE = Name(
    "werkzeug.http:http_date", "Werkzeug 2.1", "'werkzeug.http.http_date'"
)
_AUTHORIZATION = {
    "parse_authorization_header": Name(
        ".values:parse_authorization_header",
        "Werkzeug 3.0",
        "'werkzeug.datastructures.Authorization.from_header'",
    ),
    "parse_www_authenticate_header": Name(
        ".values:parse_www_authenticate_header",
        "Werkzeug 3.0",
        "'werkzeug.datastructures.WWWAuthenticate.from_header'",
    ),
}
#: Names that werkzeug itself exported, and that are still in their own modules.
_TOP_LEVEL = {
    "werkzeug.datastructures": """
        Accept Authorization CallbackDict CharsetAccept CombinedMultiDict ETags
        EnvironHeaders FileMultiDict FileStorage HeaderSet Headers ImmutableDict
        ImmutableList ImmutableMultiDict ImmutableTypeConversionDict LanguageAccept
        MIMEAccept MultiDict RequestCacheControl ResponseCacheControl
        TypeConversionDict WWWAuthenticate
        """,
    "werkzeug.debug": "DebuggedApplication",
    "werkzeug.exceptions": "Aborter abort",
    "werkzeug.formparser": "parse_form_data",
    "werkzeug.http": """
        HTTP_STATUS_CODES dump_cookie dump_header dump_options_header generate_etag
        http_date is_entity_header is_hop_by_hop_header is_resource_modified
        parse_accept_header parse_cache_control_header parse_cookie parse_date
        parse_dict_header parse_etags parse_list_header parse_options_header
        parse_set_header quote_etag quote_header_value remove_entity_headers
        remove_hop_by_hop_headers unquote_etag unquote_header_value
        """,
    "werkzeug.local": "Local LocalManager LocalProxy LocalStack release_local",
    "werkzeug.security": "check_password_hash generate_password_hash",
    "werkzeug.test": "EnvironBuilder create_environ run_wsgi_app",
    "werkzeug.testapp": "test_app",
    "werkzeug.urls": "iri_to_uri uri_to_iri",
    "werkzeug.user_agent": "UserAgent",
    "werkzeug.utils": """
        append_slash_redirect cached_property environ_property find_modules
        header_property import_string redirect secure_filename
        """,
    "werkzeug.wsgi": """
        ClosingIterator FileWrapper LimitedStream get_current_url get_host responder
        wrap_file
        """,
}
#: Names that werkzeug itself exported, and that their own modules have since removed.
_GONE_FURTHER = {
    **_AUTHORIZATION,
    **_BASES,
    **_MIDDLEWARE,
    **_PATH_INFO,
    **_STREAMS,
    **_URLS,
    "cookie_date": _COOKIE_DATE,
    "escape": Name(".values:escape", "", "'markupsafe.escape'"),
    "unescape": _UNESCAPE,
    # By their private names: the public ones warn of themselves.
    **{
        f"{kind}OrderedMultiDict": Name(
            f"werkzeug.datastructures.structures:_{kind}OrderedMultiDict",
            "",
            f"'werkzeug.datastructures.{kind}MultiDict'",
        )
        for kind in ("", "Immutable")
    },
}
#: Those of them that werkzeug itself never exported.
_NEVER_ABOVE = {
    "BaseURL",
    "BytesURL",
    "PlainRequest",
    "ProxyMiddleware",
    "StreamOnlyMixin",
    "URL",
    "get_query_string",
    "get_script_name",
    "make_chunk_iter",
    "url_decode_stream",
    "url_encode_stream",
    "url_join",
    "url_parse",
    "url_unparse",
}

_CONTEXT = Name("jinja2:pass_context", "Jinja 3.1", "'jinja2.pass_context'")
_ENVIRONMENT = Name("jinja2:pass_environment", "Jinja 3.1", "'jinja2.pass_environment'")
_EVAL_CONTEXT = Name(
    "jinja2:pass_eval_context", "Jinja 3.1", "'jinja2.pass_eval_context'"
)
_FILTER_DECORATORS = {
    "contextfilter": _CONTEXT,
    "environmentfilter": _ENVIRONMENT,
    "evalcontextfilter": _EVAL_CONTEXT,
}
_FUNCTION_DECORATORS = {
    "contextfunction": _CONTEXT,
    "environmentfunction": _ENVIRONMENT,
    "evalcontextfunction": _EVAL_CONTEXT,
}
_MARKUP = {
    "Markup": Name("markupsafe:Markup", "Jinja 3.1", "'markupsafe.Markup'"),
    "escape": Name("markupsafe:escape", "Jinja 3.1", "'markupsafe.escape'"),
}
_SOFT_UNICODE = Name("markupsafe:soft_str", "MarkupSafe 2.1", "'markupsafe.soft_str'")
_BUILT_IN = Name(
    ".values:BuiltIn", "Jinja 3.1", "nothing: it is built in; name no extension for it"
)

_JWS = {
    name: Name(
        f".signing:{name}", "itsdangerous 2.1", "a library for JWT, such as Authlib"
    )
    for name in ("JSONWebSignatureSerializer", "TimedJSONWebSignatureSerializer")
}
_COMPARE = Name(
    ".values:constant_time_compare", "itsdangerous 1.0", "'hmac.compare_digest'"
)

WERKZEUG = Table(
    names={
        # What was werkzeug.contrib.cache.
        "cachelib": {
            "GAEMemcachedCache": Name(
                "cachelib:MemcachedCache", "Werkzeug 1.0", "'cachelib.MemcachedCache'"
            )
        },
        "itsdangerous": {
            **_JWS,
            **{
                name: given
                for module, names in {
                    "itsdangerous.encoding": "bytes_to_int int_to_bytes",
                    "itsdangerous.serializer": "is_text_serializer",
                    "itsdangerous.signer": "SigningAlgorithm",
                    "itsdangerous.url_safe": "URLSafeSerializerMixin",
                }.items()
                for name, given in unmoved(
                    names, of=module, since="itsdangerous 1.0"
                ).items()
            },
            "constant_time_compare": _COMPARE,
            "json": Name("json", "itsdangerous 2.1", "'json'"),
        },
        "jinja2": {**_FILTER_DECORATORS, **_FUNCTION_DECORATORS, **_MARKUP},
        "jinja2.ext": {
            **dict.fromkeys(
                ("AutoEscapeExtension", "WithExtension", "autoescape", "with_"),
                _BUILT_IN,
            ),
            "contextfunction": _CONTEXT.gone("Jinja 3.0"),
        },
        "jinja2.filters": {**_FILTER_DECORATORS, "soft_unicode": _SOFT_UNICODE},
        "jinja2.runtime": {"evalcontextfunction": _EVAL_CONTEXT.gone("Jinja 3.0")},
        "jinja2.utils": {
            **_FUNCTION_DECORATORS,
            **_MARKUP,
            "soft_unicode": _SOFT_UNICODE,
        },
        "markupsafe": {"soft_unicode": _SOFT_UNICODE},
        "werkzeug": {
            **{
                name: given.gone("Werkzeug 1.0")
                for name, given in _GONE_FURTHER.items()
                if name not in _NEVER_ABOVE
            },
            **{
                name: given
                for module, names in _TOP_LEVEL.items()
                for name, given in unmoved(
                    names, of=module, since="Werkzeug 1.0"
                ).items()
            },
        },
        "werkzeug._internal": {
            "HTTP_STATUS_CODES": Name(
                "werkzeug.http:HTTP_STATUS_CODES",
                "Werkzeug 0.16",
                "'werkzeug.http.HTTP_STATUS_CODES'",
            )
        },
        "werkzeug.http": {**_AUTHORIZATION, "cookie_date": _COOKIE_DATE},
        "werkzeug.local": {
            "get_ident": Name(
                "threading:get_ident", "Werkzeug 2.1", "'threading.get_ident'"
            )
        },
        "werkzeug.routing": {
            "parse_rule": Name(
                ".routing:parse_rule", "Werkzeug 2.2", "'werkzeug.routing.Rule'"
            )
        },
        "werkzeug.security": {
            "pbkdf2_bin": Name(
                ".values:pbkdf2_bin", "Werkzeug 2.1", "'hashlib.pbkdf2_hmac'"
            ),
            "pbkdf2_hex": Name(
                ".values:pbkdf2_hex", "Werkzeug 2.1", "'hashlib.pbkdf2_hmac'"
            ),
            "safe_str_cmp": Name(
                ".values:constant_time_compare",
                "Werkzeug 2.1",
                "'hmac.compare_digest'",
            ),
        },
        "werkzeug.serving": unmoved(
            "run_with_reloader", of="werkzeug._reloader", since="Werkzeug 2.1"
        ),
        "werkzeug.urls": _URLS,
        "werkzeug.utils": {
            "unescape": _UNESCAPE,
            **unmoved(
                "dump_cookie parse_cookie", of="werkzeug.http", since="Werkzeug 1.0"
            ),
            "invalidate_cached_property": Name(
                ".values:invalidate_cached_property",
                "Werkzeug 2.1",
                "'del object.name'",
            ),
        },
        "werkzeug.wrappers": _BASES,
        "werkzeug.wsgi": {**_PATH_INFO, **_STREAMS, **_MIDDLEWARE},
    },
    modules={
        "itsdangerous._compat": Name(
            ".python2", "itsdangerous 2.0", "what Python 3 has"
        ),
        "itsdangerous.jws": Name(
            ".signing", "itsdangerous 2.1", "a library for JWT, such as Authlib"
        ),
        "jinja2._compat": Name(".python2", "Jinja 3.0", "what Python 3 has"),
        "werkzeug._compat": Name(".python2", "Werkzeug 2.0", "what Python 3 has"),
        "werkzeug.contrib": Name("", "Werkzeug 1.0", "'werkzeug.middleware'"),
        "werkzeug.contrib.cache": Name(
            "cachelib", "Werkzeug 1.0", "the package 'cachelib'"
        ),
        "werkzeug.contrib.fixers": Name(
            ".fixers", "Werkzeug 1.0", "'werkzeug.middleware.proxy_fix'"
        ),
        "werkzeug.contrib.lint": Name(
            "werkzeug.middleware.lint", "Werkzeug 1.0", "'werkzeug.middleware.lint'"
        ),
        "werkzeug.contrib.profiler": Name(
            "werkzeug.middleware.profiler",
            "Werkzeug 1.0",
            "'werkzeug.middleware.profiler'",
        ),
        **{
            f"werkzeug.wrappers.{part}": Name(
                ".mixins", "Werkzeug 2.1", "'werkzeug.wrappers'"
            )
            for part in (
                "accept",
                "auth",
                "base_request",
                "base_response",
                "cors",
                "common_descriptors",
                "etag",
                "json",
                "user_agent",
            )
        },
    },
    restorers={"werkzeug.wrappers.request": ".mixins:restore_request"},
)
