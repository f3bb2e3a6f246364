namespace Turnpike.Tests.Catalog;

/// <summary>References are looked up, secrets are nothing but references, and no value of one is ever shown.</summary>
public sealed class SecretTests
{
    private const string OnlyReferences = "a secret is a reference, ${env:NAME} or ${file:PATH}, never a value or a default in the file";

    [Theory]
    [InlineData("hush")]
    [InlineData("\"\"")]
    [InlineData("${env:NOPE:-hush}")]
    [InlineData("hush-${env:TURNPIKE_ADMIN_KEY}")]
    [InlineData("${env:TURNPIKE_ADMIN_KEY}-hush")]
    [InlineData("${env:TURNPIKE_ADMIN_KEY}${env:SHORT}")]
    [InlineData("$${env:TURNPIKE_ADMIN_KEY}")]
    public void A_literal_secret_is_refused_and_not_shown(string written) =>
        Documents.Load($"gateway: {{ admin-key: \"{written.Trim('"')}\" }}").ErrorLines.ShouldBe(["t.yaml:1:23: gateway.admin-key: " + OnlyReferences]);

    [Fact]
    public void A_list_has_the_current_secret_first() =>
        Documents.Sound(Documents.With("payments: { mpp: { secret: [\"${env:TURNPIKE_MPP_SECRET}\", \"${env:OLD_MPP_SECRET}\", \"${file:secrets/mpp}\"], stripe: { secret-key: \"${env:STRIPE_SECRET_KEY}\", profile: p } } }"))
            .Settings.Get<Turnpike.Payments.PaymentSettings>().ShouldNotBeNull().Mpp.ShouldNotBeNull().Secrets.Select(s => s.Reveal())
            .ShouldBe(["hush-mpp-secret-of-more-than-32-bytes!!", "hush-old-mpp-secret-of-more-than-32-bytes", "hush-from-a-file-of-more-than-32-bytes-long"]);

    [Theory]
    [InlineData("${env:NOPE}", "environment variable NOPE is not set")]
    [InlineData("${file:nope}", "file 'nope' cannot be read, is empty, or is larger than 64 KiB")]
    [InlineData("${env:}", "a reference is ${env:NAME}, ${env:NAME:-default} or ${file:PATH}")]
    [InlineData("${vault:x}", "a reference is ${env:NAME}, ${env:NAME:-default} or ${file:PATH}")]
    [InlineData("${env:A B}", "a reference is ${env:NAME}, ${env:NAME:-default} or ${file:PATH}")]
    [InlineData("http://${env:UPSTREAM", "a reference is not closed: '}' is missing")]
    public void What_cannot_be_resolved_is_named(string written, string message) =>
        Documents.Load($"services: {{ s: {{ upstream: \"{written}\" }} }}").Errors.ShouldHaveSingleItem().Message.ShouldBe(message);

    [Theory]
    [InlineData("${env:NOPE:-http://d}/x", "http://d/x")]
    [InlineData("${env:UPSTREAM:-http://d}", "http://127.0.0.1:9000/")]
    public void A_default_stands_in_for_what_is_not_set(string written, string url) =>
        Documents.Sound($"services: {{ s: {{ upstream: \"{written}\" }} }}").Services[0].Upstream.Targets[0].Url.AbsoluteUri.ShouldBe(url);

    [Fact]
    public void A_doubled_dollar_is_a_plain_one() =>
        Documents.Sound("services: { s: { upstream: \"http://x\", description: \"costs $${env:X}\" } }").Services[0].Description.ShouldBe("costs ${env:X}");

    [Fact]
    public void A_header_that_bears_a_secret_wants_a_reference_and_others_take_text()
    {
        var result = Documents.Load("services: { s: { upstream: \"http://x\", headers: { authorization: Bearer hush, x-api-key: \"${env:NOPE:-hush}\", x-version: \"2\", cookie: \"a=${env:UPSTREAM_KEY}\", x-lines: \"${env:BROKEN_LINES}\" } } }");
        result.Errors.Select(e => e.Path).ShouldBe(["services.s.headers.authorization", "services.s.headers.x-api-key", "services.s.headers.x-lines"]);
        result.Errors[2].Message.ShouldBe("a header's value is printable ASCII on one line");
        string.Concat(result.ErrorLines).ShouldNotContain("hush");
    }

    /// <summary>Puts a reference to every variable in every place that there is, and looks for its value in what is said.</summary>
    [Fact]
    public void No_error_shows_the_value_of_a_reference()
    {
        var paths = Turnpike.Catalog.Document.MarkdownWriter.Walk(Language.Loader.Shape, "").Select(k => k.Path).Where(p => !p.Contains('[')).ToList();
        var refused = 0;
        foreach (var path in paths)
        {
            foreach (var variable in new[] { "SHORT", "STRIPE_SECRET_KEY", "BROKEN_LINES" })
            {
                var parts = path.Replace("<chain>", "eip155:84532").Replace("<", "").Replace(">", "").Split('.');
                var text = string.Concat(parts.Select(p => $"{{ \"{p}\": ")) + $"\"${{env:{variable}}}\"" + new string('}', parts.Length);
                var result = Documents.Load(text);
                refused += result.Errors.Count > 0 ? 1 : 0;
                string.Concat(result.ErrorLines.Concat(result.WarningLines)).ShouldNotContain(Documents.Variables[variable][..8], Case.Insensitive, path);
            }
        }
        refused.ShouldBeGreaterThan(100);
    }
}
