/// What a browser or a code generator finds without a key: a page that says what is where, and the OpenAPI document.
enum Pages {
    static let routes: [Route] = [
        Route(.get, "/", "landing", "What is where, for people", access: .open, answer: .document("text/html")) { _, _ in
            var response = APIResponse(status: 200, contentType: "text/html; charset=utf-8", body: Array(landing.utf8))
            response.fields["content-security-policy"] = "default-src 'none'; style-src 'unsafe-inline'"
            return response
        },
        Route(
            .get, "/openapi.json", "openAPI", "This API as an OpenAPI 3.1 document", access: .open, answer: .document("application/json")
        ) { gateway, _ in
            APIResponse(status: 200, body: gateway.openAPI)
        },
    ]

    private static let landing = """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><title>Tandem</title>
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <style>
        body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem; color: #222 }
        code { background: #f2f2f2; padding: .1em .3em; border-radius: 3px }
        table { border-collapse: collapse } td { padding: .3rem 1rem .3rem 0; vertical-align: top }
        </style></head><body>
        <h1>Tandem</h1>
        <p>A programmable communications platform. This is its API.</p>
        <table>
        <tr><td><a href="/openapi.json">/openapi.json</a></td><td>the whole API, OpenAPI 3.1</td></tr>
        <tr><td><code>/v1/...</code></td><td>customers, keys, extensions, flows, runs, calls, conferences, events;
        send <code>Authorization: Bearer KEY</code></td></tr>
        <tr><td><code>/v1/events/stream</code></td><td>WebSocket: every event as it happens</td></tr>
        </table>
        <p>How it is used stands in <code>docs/api.md</code> of the source tree.</p>
        </body></html>

        """
}
