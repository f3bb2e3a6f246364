namespace Turnpike.Tests.Catalog;

/// <summary>Bad documents and the exact lines they earn.</summary>
public sealed class BadDocumentTests
{
    [Theory]
    [InlineData("gatway: {}", "t.yaml:1:1: gatway: unknown key; did you mean 'gateway'?")]
    [InlineData("zebra: {}", "t.yaml:1:1: zebra: unknown key; here are known: gateway, payments, limits, services")]
    [InlineData("gateway: 5", "t.yaml:1:10: gateway: a map of url, listen, admin, store, node, drain, admin-key, insecure, sandbox, trusted-proxies, tls, otlp is wanted here")]
    [InlineData("gateway: { url: x, url: y }", "t.yaml:1:17: gateway.url: 'x' is no base address; write https://api.example.com, without path, query or user", "t.yaml:1:20: 'url' is given twice; first on line 1")]
    [InlineData("gateway: { url: }", "t.yaml:1:17: gateway.url: nothing is written here; a URL without path is wanted")]
    [InlineData("gateway: { listen: \"http://example.com:80\" }", "t.yaml:1:20: gateway.listen: 'http://example.com:80' is no address to listen on; write http:// or https://, an IP address or localhost, and a port")]
    [InlineData("gateway: { listen: \"http://127.0.0.1\" }", "t.yaml:1:20: gateway.listen: 'http://127.0.0.1' is no address to listen on; write http:// or https://, an IP address or localhost, and a port")]
    [InlineData("gateway: { listen: \"https://127.0.0.1:8402\" }", "t.yaml:1:20: gateway.listen: https:// needs tls with certificate and key")]
    [InlineData("gateway: { insecure: yes }", "t.yaml:1:22: gateway.insecure: 'yes' is neither true nor false")]
    [InlineData("gateway: { trusted-proxies: [10.0.0.0/33, 10.0.0.0/8, \"::1\", 10.0.0.9, here] }", "t.yaml:1:30: gateway.trusted-proxies[0]: '10.0.0.0/33' is neither an IP address nor a network; write 10.0.0.7 or 10.0.0.0/8", "t.yaml:1:72: gateway.trusted-proxies[4]: 'here' is neither an IP address nor a network; write 10.0.0.7 or 10.0.0.0/8")]
    [InlineData("gateway: { tls: { certificate: a.pem } }", "t.yaml:1:17: gateway.tls: 'key' is missing: PEM file with the private key.")]
    [InlineData("gateway: { store: \"Host=db;Password=hush\" }", "t.yaml:1:19: gateway.store: the value is no store; write sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE")]
    [InlineData("gateway: { store: \"sqlite:a;b\" }", "t.yaml:1:19: gateway.store: the value is no store; write sqlite:PATH")]
    [InlineData("gateway: { store: \"postgres://me:hush@db/books\" }", "t.yaml:1:19: gateway.store: the password is a secret; a secret is a reference, ${env:NAME} or ${file:PATH}, never a value or a default in the file")]
    [InlineData("gateway: { store: \"postgres://me:${env:PGPASSWORD:-hush}@db/books\" }", "t.yaml:1:19: gateway.store: the password is a secret; a secret is a reference, ${env:NAME} or ${file:PATH}, never a value or a default in the file")]
    [InlineData("gateway: { store: \"postgres://me:${env:PGPASSWORD}@db\" }", "t.yaml:1:19: gateway.store: the value is no store; write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with sslmode, sslrootcert, sslcert, sslkey, target_session_attrs or application_name after a question mark")]
    [InlineData("gateway: { store: \"postgres://db/books?fsync=off\" }", "t.yaml:1:19: gateway.store: the value is no store; write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with sslmode, sslrootcert, sslcert, sslkey, target_session_attrs or application_name after a question mark")]
    [InlineData("gateway: { admin-key: [] }", "t.yaml:1:23: gateway.admin-key: at least 1 is wanted here")]
    [InlineData("gateway: !!map {}", "t.yaml:1:10: tags are not part of this language")]
    [InlineData("? [a]\n: b", "t.yaml:1:3: a key is plain text")]
    [InlineData("gateway: *nobody", "t.yaml:1:10: '*nobody' names nothing that is complete before it")]
    [InlineData("[]", "t.yaml:1:1: a map of gateway, payments, limits, services is wanted here")]
    [InlineData("---\ngateway: {}\n---\ngateway: {}", "t.yaml:3:1: one file holds one document")]
    public void A_bad_document_is_told_where_and_what(string text, params string[] lines)
    {
        var result = Documents.Load(text);
        result.ErrorLines.ShouldBe(lines);
        result.Catalog.ShouldBeNull();
    }

    [Theory]
    [InlineData("upstream: \"ftp://x\"", "s.upstream: 'ftp://x' is no http:// or https:// URL")]
    [InlineData("upstream: \"http://x/?a=b\"", "s.upstream: 'http://x/?a=b' has a query or fragment")]
    [InlineData("upstream: \"http://me:hush@x/\"", "s.upstream: the value carries a user or password; give them as a header")]
    [InlineData("upstream: {}", "s.upstream: an upstream has either url or targets")]
    [InlineData("upstream: { url: \"http://x\", targets: [\"http://y\"] }", "s.upstream: an upstream has either url or targets")]
    [InlineData("upstream: { targets: [{ url: \"http://y\", weight: 0 }] }", "s.upstream.targets[0].weight: '0' is no whole number from 1 to 1000")]
    [InlineData("upstream: { url: \"http://x\", timeout: 5 minutes }", "s.upstream.timeout: '5 minutes' is no duration; write 30s, 5m, 1h, 1d or 1mo")]
    [InlineData("host: \"a:80\", upstream: \"http://x\"", "s.host: 'a:80' is no host name; write api.example.com, without scheme or port")]
    [InlineData("prefix: /a/, upstream: \"http://x\"", "s.prefix: '/a/' is no prefix; write /name, without {parts} or a trailing slash")]
    [InlineData("headers: { host: x }, upstream: \"http://x\"", "s.headers.host: is a header that the gateway alone sets")]
    [InlineData("headers: { Turnpike-Payer: x }, upstream: \"http://x\"", "s.headers.Turnpike-Payer: is a header that the gateway alone sets")]
    [InlineData("headers: { \"a b\": x }, upstream: \"http://x\"", "s.headers.\"a b\": is no header name")]
    [InlineData("headers: { x-a: \"1\", X-A: \"2\" }, upstream: \"http://x\"", "s.headers: 'x-a' is given twice; header names have no case")]
    [InlineData("upstream: \"http://x\", price: free", "s.price: 'price' stands on an operation, or on a service with wrap: true")]
    [InlineData("upstream: \"http://x\", wrap: true", "s: 'price' is missing: What a delivered answer costs: free, an amount, or a map.")]
    [InlineData("upstream: \"http://x\", wrap: true, price: free, prefix: /a", "s.prefix: a wrapped service is at /g/{service}/… and nowhere else")]
    [InlineData("upstream: \"http://x\", wrap: true, price: free, operations: { o: { match: GET /o, price: free } }", "s.operations: a wrapped service is one operation itself; give it operations, or wrap: true, not both")]
    [InlineData("description: nowhere", "s: 'upstream' is missing: Where its calls go: a URL, or more in full.")]
    public void A_bad_service_is_told(string service, string expected) =>
        Documents.Load($"services: {{ s: {{ {service} }} }}").Errors.ShouldHaveSingleItem().ShouldSatisfyAllConditions(e => $"{e.Path}: {e.Message}".ShouldBe("services." + expected));

    [Theory]
    [InlineData("match: get /x", "match: 'get /x' does not begin with a method in capitals")]
    [InlineData("match: /x", "match: '/x' is not METHOD /path")]
    [InlineData("match: TRACE /x", "match: 'TRACE /x' names a method that is never forwarded")]
    [InlineData("match: GET x", "match: 'GET x' is no match: a path begins with '/'")]
    [InlineData("match: GET /a//b", "match: 'GET /a//b' is no match: a path has no empty segments")]
    [InlineData("match: \"GET /{**a}/b\"", "match: 'GET /{**a}/b' is no match: {**name} stands last")]
    [InlineData("match: \"GET /{a}/{a}\"", "match: 'GET /{a}/{a}' is no match: 'a' stands twice")]
    [InlineData("match: GET /x, settle: later", "settle: 'later' is not one of after, before")]
    [InlineData("match: GET /x, identity: requird", "identity: 'requird' is not one of optional, required, upstream; did you mean 'required'?")]
    [InlineData("match: GET /x, accept: []", "accept: at least 1 is wanted here")]
    [InlineData("match: GET /x, pric: free", "pric: unknown key; did you mean 'price'?")]
    [InlineData("match: GET /openapi.json", "match: 'GET /openapi.json' clashes with our own /openapi.json")]
    [InlineData("match: \"GET /receipts/{id}\"", "match: 'GET /receipts/{id}' clashes with our own /receipts/…")]
    [InlineData("match: POST /g/x/y", "match: 'POST /g/x/y' clashes with our own /g/…")]
    [InlineData("match: GET /.well-known/x402", "match: 'GET /.well-known/x402' clashes with our own /.well-known/…")]
    [InlineData("match: POST /mcp", "match: 'POST /mcp' clashes with our own /mcp")]
    public void A_bad_operation_is_told(string operation, string expected) =>
        Documents.Load($"services: {{ s: {{ upstream: \"http://x\", operations: {{ o: {{ price: free, {operation} }} }} }} }}").Errors.ShouldHaveSingleItem()
            .ShouldSatisfyAllConditions(e => $"{e.Path}: {e.Message}".ShouldBe("services.s.operations.o." + expected));

    [Fact]
    public void Operations_that_take_the_same_call_clash()
    {
        Documents.Load("""
            services:
              a:
                upstream: http://x
                prefix: /v1
                operations:
                  one: { match: "GET /things/{id}", price: free }
                  two: { match: "POST /things/{id}", price: free }
              b:
                upstream: http://y
                operations:
                  three: { match: "GET /v1/things/{name}", price: free }
                  one: { match: GET /other, price: free }
              c:
                upstream: http://z
                host: c.example.com
                operations:
                  four: { match: "GET /v1/things/{name}", price: free }
            """).ErrorLines.ShouldBe(
        [
            "t.yaml:11:23: services.b.operations.three.match: 'GET /v1/things/{name}' clashes with 'GET /things/{id}' of operation 'one'",
            "t.yaml:12:12: services.b.operations.one: operation 'one' is already one of service 'a'; names are unique in the whole document",
        ]);
    }

    [Fact]
    public void All_errors_are_told_at_once_sorted_by_line()
    {
        var result = Documents.Load("""
            services:
              a.b: { upstream: http://x }
              s:
                upstream: ${env:NOWHERE}
                operations:
                  o: { match: GET /o, price: 1 cent }
                  p: { match: GET /balance, price: free, accpt: [x402] }
            limits:
              unpaid: { amount: 60, per: 1m }
            payments:
              prepaid: { secret: "${env:SHORT}" }
            gateway:
              listen: nowhere
            """);
        result.ErrorLines.ShouldBe(
        [
            "t.yaml:2:3: services.\"a.b\": a name is 1 to 64 letters, digits, '-' and '_'",
            "t.yaml:4:15: services.s.upstream: environment variable NOWHERE is not set",
            "t.yaml:6:34: services.s.operations.o.price: '1 cent' is no price; write free, or an amount such as 0.01 USD with at most nine decimals",
            "t.yaml:7:19: services.s.operations.p.match: 'GET /balance' clashes with our own /balance",
            "t.yaml:7:46: services.s.operations.p.accpt: unknown key; did you mean 'accept'?",
            "t.yaml:9:21: limits.unpaid.amount: '60' is no number of requests; write 60 requests",
            "t.yaml:11:22: payments.prepaid.secret: a signing secret has at least 32 bytes; ${env:SHORT} has fewer",
            "t.yaml:13:11: gateway.listen: 'nowhere' is no address to listen on; write http:// or https://, an IP address or localhost, and a port",
        ]);
        result.Catalog.ShouldBeNull();
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("insecure: true", true)]
    [InlineData("trusted-proxies: [10.0.0.0/8]", true)]
    public void Payment_over_plain_http_beyond_loopback_has_to_be_wanted(string more, bool sound)
    {
        var result = Documents.Load($$$"""
            gateway: { listen: "http://0.0.0.0:8402", url: "https://api.example.com", {{{more}}} }
            payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" } }
            services: { s: { upstream: "http://x", operations: { o: { match: GET /o, price: 0.01 USD } } } }
            """);
        if (sound) result.ErrorLines.ShouldBeEmpty();
        else result.ErrorLines.ShouldBe(["t.yaml:1:20: gateway.listen: payment over plain HTTP is taken on loopback only; give tls, or trusted-proxies that speak it, or say insecure: true"]);
    }

    [Fact]
    public void What_is_odd_but_sound_is_a_warning()
    {
        var result = Documents.Load("""
            gateway: { listen: "http://0.0.0.0:8402", admin: "http://10.0.0.5:8403" }
            services: { s: { upstream: "http://x", operations: { o: { match: GET /o, price: free, identity: required } } } }
            """);
        result.Catalog.ShouldNotBeNull();
        result.WarningLines.ShouldBe(
        [
            "t.yaml:1:20: gateway.listen: callers elsewhere are told addresses on 127.0.0.1; say gateway.url",
            "t.yaml:1:50: gateway.admin: operators' keys travel in plain text beyond this machine",
            "t.yaml:2:97: services.s.operations.o.identity: no way to say who one is is configured, so every call is answered 401",
        ]);
    }
}
