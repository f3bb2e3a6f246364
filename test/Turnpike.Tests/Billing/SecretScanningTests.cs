using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Turnpike.Admin.Cli;
using Turnpike.Audit;
using Turnpike.Billing.Leaks;
using Turnpike.Catalog;
using Turnpike.Tests.Admin;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Billing;

/// <summary>Keys and tokens that are found in public: GitHub's reports as they are signed, what becomes of the credential, and of its money.</summary>
public sealed class SecretScanningTests
{
    private const string Path = "/webhooks/github/secret-scanning", Site = "http://keys.test/";

    /// <summary>Published by GitHub in its own documentation, with signatures by these keys.</summary>
    public static TheoryData<string, string, string, string> Published => new()
    {
        { "90a421169f0a406205f1563a953312f0be898d3c7b6c06b681aa86a874555f4a", "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE9MJJHnMfn2+H4xL4YaPDA4RpJqUq\nkCmRCBnYERxZanmcpzQSXs1X/AljlKkbJ8qpVIW4clayyef9gWhFbNHWAA==\n-----END PUBLIC KEY-----\n", """[{"token":"some_token","type":"some_type","url":"some_url"}]""", "MEUCIQDKZokqnCjrRtw0tni+2Ltvl/uiMJ1EGumEsp1BsNr32AIgQY1YXD2nlj+XNfGK4rBfkMJ1JDOQcYXxa2sY8FNkrKc=" },
        { "bcb53661c06b4728e59d897fb6165d5c9cda0fd9cdf9d09ead458168deb7518c", "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYAGMWO8XgCamYKMJS6jc/qgvSlAd\nAjPuDPRcXU22YxgBrz+zoN19MzuRyW87qEt9/AmtoNP5GrobzUvQSyJFVw==\n-----END PUBLIC KEY-----\n", """[{"source":"commit","token":"some_token","type":"some_type","url":"https://example.com/base-repo-url/"}]""", "MEQCIQDaMKqrGnE27S0kgMrEK0eYBmyG0LeZismAEz/BgZyt7AIfXt9fErtRS4XaeSt/AO1RtBY66YcAdjxji410VQV4xg==" },
    };

    private static GithubKeys Keys(Func<string> published, TimeProvider time) => new((_, _, _) => new HttpClient(new Fixed(published)), time);

    private static string Set(params (string Id, string Pem)[] keys) => JsonSerializer.Serialize(new { public_keys = keys.Select(k => new { key_identifier = k.Id, key = k.Pem, is_current = true }) });

    [Theory]
    [MemberData(nameof(Published))]
    public async Task A_report_that_github_published_verifies_and_with_one_byte_more_does_not(string id, string pem, string body, string signature)
    {
        using var keys = Keys(() => Set((id, pem)), new ManualTime());
        var raw = Encoding.UTF8.GetBytes(body);
        (await keys.HoldsAsync(new Uri(Site), id, signature, raw, default)).ShouldBe(true);
        (await keys.HoldsAsync(new Uri(Site), id, signature, [.. raw, (byte)' '], default)).ShouldBe(false);
        (await keys.HoldsAsync(new Uri(Site), id, signature[..^8] + "AAAAAA==", raw, default)).ShouldBe(false);
        (await keys.HoldsAsync(new Uri(Site), "another", signature, raw, default)).ShouldBe(false);
    }

    [Fact]
    public async Task Made_up_key_names_ask_github_twice_a_minute_at_most_and_a_silent_github_is_not_a_no()
    {
        var time = new ManualTime();
        var asked = 0;
        using var keys = Keys(() => { asked++; throw new HttpRequestException("silent"); }, time);
        for (var i = 0; i < 100; i++) (await keys.HoldsAsync(new Uri(Site), $"key-{i}", "MEQ=", [1], default)).ShouldBeNull();
        asked.ShouldBe(1);
        time.Pass(TimeSpan.FromSeconds(30));
        await keys.HoldsAsync(new Uri(Site), "key", "MEQ=", [1], default);
        asked.ShouldBe(2);
    }

    [Fact]
    public async Task A_leaked_key_and_token_end_with_the_report_and_the_money_goes_to_a_new_token()
    {
        await using var github = await Github.StartAsync();
        await using var gateway = await RunningGateway.StartAsync(more: $"leaks: {{ github: {{ keys: \"{github.Url}\" }} }}");
        await gateway.AdminAsync(HttpMethod.Put, "/admin/v1/callers/bot", "{}");
        var key = RunningGateway.Json((await gateway.AdminAsync(HttpMethod.Post, "/admin/v1/callers/bot/keys")).Body).GetProperty("key").GetString()!;
        var token = await gateway.TokenAsync("0.50 USD");
        using (var paid = await gateway.CallAsync("/paid", token)) ((int)paid.StatusCode).ShouldBe(200);
        // Thousands in one report, most of them nothing of ours.
        var matches = Enumerable.Range(0, 3000).Select(i => (object)new { token = $"guess-{i}", type = "other", url = "https://github.com/x", source = "content" })
            .Append(new { token = key, type = "turnpike_key", url = "https://github.com/acme/leak", source = "Commit" }).Append(new { token, type = "turnpike_token", url = "", source = "issue_title" });
        var body = JsonSerializer.Serialize(matches);
        (await PostAsync(gateway, body + " ", github.Sign(body))).Status.ShouldBe(HttpStatusCode.Unauthorized);
        using (var still = await gateway.CallAsync("/open", headers: ("x-api-key", key))) ((int)still.StatusCode).ShouldBe(200, "nothing was believed");

        var (status, answer) = await PostAsync(gateway, body, github.Sign(body), upper: true);
        status.ShouldBe(HttpStatusCode.OK);
        var feedback = RunningGateway.Json(answer).EnumerateArray().ToList();
        feedback.Count.ShouldBe(3002);
        feedback.Where(f => f.GetProperty("label").GetString() == "true_positive").Select(f => f.GetProperty("token_hash").GetString()).ShouldBe([Hash(key), Hash(token)]);
        using (var ended = await gateway.CallAsync("/open", headers: ("x-api-key", key))) ((int)ended.StatusCode).ShouldBe(401);
        using (var spent = await gateway.CallAsync("/paid", token)) ((int)spent.StatusCode).ShouldBe(403);
        var told = RunningGateway.Json((await gateway.GetAsync("/admin/v1/audit?kind=key.leaked")).Body).GetProperty("events").EnumerateArray().ToList();
        told.Count.ShouldBe(2);
        told.Select(e => e.GetProperty("detail").GetString()).ShouldContain("commit https://github.com/acme/leak");
        var next = told.Select(e => e.GetProperty("detail").GetString()!).Single(d => d.StartsWith("issue_title", StringComparison.Ordinal)).Split("token:")[1];
        var view = RunningGateway.Json((await gateway.GetAsync($"/admin/v1/tokens/{next}")).Body);
        (view.GetProperty("left").GetProperty("amount").GetString(), view.GetProperty("status").GetString()).ShouldBe(("0.49", "active"));
        using (var spends = await gateway.CallAsync("/paid", view.GetProperty("token").GetString())) ((int)spends.StatusCode).ShouldBe(200);
        (await PostAsync(gateway, body, github.Sign(body))).Status.ShouldBe(HttpStatusCode.OK, "told again, nothing more happens");
        RunningGateway.Json((await gateway.GetAsync("/admin/v1/audit?kind=key.leaked")).Body).GetProperty("events").GetArrayLength().ShouldBe(2);
        (await gateway.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_token_found_in_hundreds_of_places_at_once_is_one_leak_and_its_money_moves_once()
    {
        await using var github = await Github.StartAsync();
        await using var gateway = await RunningGateway.StartAsync(more: $"leaks: {{ github: {{ keys: \"{github.Url}\" }} }}");
        await gateway.AdminAsync(HttpMethod.Put, "/admin/v1/callers/bot", "{}");
        var token = await gateway.TokenAsync("0.50 USD");
        var keys = new List<string>();
        for (var i = 0; i < 20; i++) keys.Add(RunningGateway.Json((await gateway.AdminAsync(HttpMethod.Post, "/admin/v1/callers/bot/keys")).Body).GetProperty("key").GetString()!);
        var body = JsonSerializer.Serialize(Enumerable.Range(0, 300).Select(i => new { token, type = "turnpike_token", url = $"https://github.com/x/{i}", source = "CONTENT" }).Concat(keys.Select(key => new { token = key, type = "turnpike_key", url = "", source = "Npm" })));
        var (status, answer) = await PostAsync(gateway, body, github.Sign(body));
        status.ShouldBe(HttpStatusCode.OK);
        RunningGateway.Json(answer).EnumerateArray().Select(f => (f.GetProperty("token_hash").GetString(), f.GetProperty("label").GetString())).ShouldBe([.. Enumerable.Repeat((Hash(token), "true_positive"), 300), .. keys.Select(key => (Hash(key), "true_positive"))]);
        RunningGateway.Json((await gateway.GetAsync("/admin/v1/audit?kind=key.leaked&limit=500")).Body).GetProperty("events").GetArrayLength().ShouldBe(21);
        foreach (var key in keys)
        {
            using var ended = await gateway.CallAsync("/open", headers: ("x-api-key", key));
            ((int)ended.StatusCode).ShouldBe(401);
        }
        var all = RunningGateway.Json((await gateway.GetAsync("/admin/v1/tokens")).Body).GetProperty("tokens").EnumerateArray().ToList();
        all.Select(t => (t.GetProperty("status").GetString(), t.GetProperty("left").GetProperty("amount").GetString())).Order().ShouldBe([("active", "0.50"), ("revoked", "0.00")]);
        (await gateway.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_capped_key_says_who_asks_and_spends_nothing_also_one_of_the_file()
    {
        await using var github = await Github.StartAsync();
        await using var gateway = await RunningGateway.StartAsync(more: $"leaks: {{ policy: cap, github: {{ keys: \"{github.Url}\" }} }}\ncallers: {{ named: {{ keys: [\"sha256:{Hash("key-of-the-file")}\"] }} }}");
        await gateway.AdminAsync(HttpMethod.Put, "/admin/v1/callers/bot", "{}");
        var key = RunningGateway.Json((await gateway.AdminAsync(HttpMethod.Post, "/admin/v1/callers/bot/keys")).Body).GetProperty("key").GetString()!;
        var token = await gateway.TokenAsync();
        var body = JsonSerializer.Serialize(new[] { new { token = key }, new { token = "key-of-the-file" }, new { token } });
        (await PostAsync(gateway, body, github.Sign(body))).Status.ShouldBe(HttpStatusCode.OK);
        foreach (var leaked in new[] { key, "key-of-the-file" })
        {
            using var open = await gateway.CallAsync("/open", headers: ("x-api-key", leaked));
            using var paid = await gateway.CallAsync("/paid", headers: ("x-api-key", leaked));
            ((int)open.StatusCode, (int)paid.StatusCode).ShouldBe((200, 403));
        }
        using var frozen = await gateway.CallAsync("/paid", token);
        RunningGateway.Json(await frozen.Content.ReadAsStringAsync()).GetProperty("reason").GetString().ShouldBe("token-frozen");
    }

    [Fact]
    public async Task Nobody_reports_anything_where_it_is_not_configured()
    {
        await using var gateway = await RunningGateway.StartAsync();
        (await PostAsync(gateway, "[]", ("id", "MEQ="))).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_scan_of_a_folder_tells_places_and_beginnings_and_never_a_key()
    {
        await using var gateway = RunningGateway.Stopped();
        var folder = Directory.CreateTempSubdirectory("turnpike-scan-");
        try
        {
            var key = Turnpike.Identity.KeyText.New();
            var token = new Turnpike.Tokens.TokenText([Encoding.UTF8.GetBytes(RunningGateway.TokenSecret)]).Of(Turnpike.Tokens.TokenText.NewId());
            Directory.CreateDirectory(folder.FullName + "/src");
            await File.WriteAllTextAsync(folder.FullName + "/src/app.env", $"A=1\nKEY={key}\n");
            await File.WriteAllTextAsync(folder.FullName + "/log.txt", $"token={token}; typo={key[..^1]}{(key[^1] == 'a' ? 'b' : 'a')}\n");
            var (output, err) = (new StringWriter(), new StringWriter());
            (await KeyScan.RunAsync(gateway.Config, RunningGateway.Environment, folder.FullName, false, output, err, default)).ShouldBe(1);
            var lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal).ToList();
            lines.ShouldBe([$"{folder.FullName}/log.txt:1  token {token[3..29]}", $"{folder.FullName}/src/app.env:2  key {key[..8]}…"]);
            output.ToString().ShouldNotContain(key);
            File.Delete(folder.FullName + "/src/app.env");
            File.Delete(folder.FullName + "/log.txt");
            (await KeyScan.RunAsync(gateway.Config, RunningGateway.Environment, folder.FullName, false, output, err, default)).ShouldBe(0);
            (await KeyScan.RunAsync(gateway.Config, RunningGateway.Environment, folder.FullName + "/none", false, output, err, default)).ShouldBe(2);
        }
        finally { folder.Delete(recursive: true); }
    }

    [Fact]
    public async Task What_a_repository_held_once_is_found_in_its_history_alone()
    {
        await using var gateway = RunningGateway.Stopped();
        var folder = Directory.CreateTempSubdirectory("turnpike-scan-");
        try
        {
            var key = Turnpike.Identity.KeyText.New();
            await GitAsync(folder.FullName, "init", "-q");
            await File.WriteAllTextAsync(folder.FullName + "/app.env", $"KEY={key}\n");
            await GitAsync(folder.FullName, "add", ".");
            await GitAsync(folder.FullName, "commit", "-qm", "oops");
            await GitAsync(folder.FullName, "rm", "-q", "app.env");
            await GitAsync(folder.FullName, "commit", "-qm", "gone");
            var (output, err) = (new StringWriter(), new StringWriter());
            (await KeyScan.RunAsync(gateway.Config, RunningGateway.Environment, folder.FullName, false, output, err, default)).ShouldBe(0, "the files are clean");
            (await KeyScan.RunAsync(gateway.Config, RunningGateway.Environment, folder.FullName, true, output, err, default)).ShouldBe(1);
            output.ToString().ShouldContain($"  key {key[..8]}…");
            output.ToString().ShouldContain("commit ");
            output.ToString().ShouldNotContain(key);
            var bare = folder.CreateSubdirectory("elsewhere");
            Directory.Move(folder.FullName + "/.git", folder.FullName + "/was-git");
            (await KeyScan.RunAsync(gateway.Config, RunningGateway.Environment, bare.FullName, true, output, err, default)).ShouldBe(1, "no repository is no clean one");
            err.ToString().ShouldNotBeEmpty();
        }
        finally { folder.Delete(recursive: true); }
    }

    [Fact]
    public async Task What_a_merge_a_message_a_binary_file_or_a_stash_holds_is_found_and_what_was_amended_away()
    {
        await using var gateway = RunningGateway.Stopped();
        var folder = Directory.CreateTempSubdirectory("turnpike-scan-");
        try
        {
            var keys = Enumerable.Range(0, 5).Select(_ => Turnpike.Identity.KeyText.New()).ToList();
            Task Git(params string[] arguments) => GitAsync(folder.FullName, arguments);
            await Git("init", "-q");
            await File.WriteAllBytesAsync(folder.FullName + "/b.bin", [0, 1, 2, .. Encoding.ASCII.GetBytes(keys[0]), 0, 255]);
            await Git("add", ".");
            await Git("commit", "-qm", $"the key is\n\n{keys[1]}");
            await File.WriteAllTextAsync(folder.FullName + "/amended", keys[2]);
            await Git("add", ".");
            await Git("commit", "-qm", "oops");
            await Git("rm", "-q", "amended");
            await Git("commit", "-q", "--amend", "--allow-empty", "-m", "nothing happened");
            await File.WriteAllTextAsync(folder.FullName + "/b.bin", keys[3]);
            await Git("stash", "-q");
            await Git("checkout", "-q", "-b", "side", "HEAD~1");
            await Git("commit", "-q", "--allow-empty", "-m", "side");
            await Git("merge", "-q", "--no-commit", "--no-ff", "@{-1}");
            await File.WriteAllTextAsync(folder.FullName + "/merged", keys[4]);
            await Git("add", ".");
            await Git("commit", "-qm", "merged");
            await Git("rm", "-q", "merged", "b.bin");
            await Git("commit", "-qm", "clean");
            var output = new StringWriter();
            (await KeyScan.RunAsync(gateway.Config, RunningGateway.Environment, folder.FullName, true, output, new StringWriter(), default)).ShouldBe(1);
            var lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
            lines.ShouldAllBe(l => l.StartsWith("commit ", StringComparison.Ordinal));
            keys.Select(key => $"key {key[..8]}…").Except(lines.Select(l => l.Split("  ")[1])).ShouldBeEmpty();
        }
        finally { folder.Delete(recursive: true); }
    }

    [Fact]
    public async Task A_file_too_large_to_be_looked_through_is_told_and_is_not_clean()
    {
        await using var gateway = RunningGateway.Stopped();
        var folder = Directory.CreateTempSubdirectory("turnpike-scan-");
        try
        {
            await using (var large = File.Create(folder.FullName + "/dump.bin")) large.SetLength(65 * 1024 * 1024);
            var (output, err) = (new StringWriter(), new StringWriter());
            (await KeyScan.RunAsync(gateway.Config, RunningGateway.Environment, folder.FullName, false, output, err, default)).ShouldBe(1);
            err.ToString().ShouldContain("dump.bin is larger than 64 MiB and was not looked through.");
        }
        finally { folder.Delete(recursive: true); }
    }

    private static async Task GitAsync(string folder, params string[] arguments)
    {
        using var git = System.Diagnostics.Process.Start("git", ["-C", folder, "-c", "user.name=Test", "-c", "user.email=test@example.com", .. arguments]);
        await git.WaitForExitAsync();
        Assert.SkipUnless(git.ExitCode == 0, "git is missing");
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static async Task<(HttpStatusCode Status, string Body)> PostAsync(RunningGateway gateway, string body, (string Id, string Signature) signed, bool upper = false)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(gateway.Public, Path)) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        var (id, signature) = upper ? ("GITHUB-PUBLIC-KEY-IDENTIFIER", "GITHUB-PUBLIC-KEY-SIGNATURE") : ("Github-Public-Key-Identifier", "Github-Public-Key-Signature");
        request.Headers.TryAddWithoutValidation(id, signed.Id);
        request.Headers.TryAddWithoutValidation(signature, signed.Signature);
        using var answer = await gateway.Http.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private sealed class Fixed(Func<string> body) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(new HttpResponseMessage { Content = new StringContent(body()) });
    }

    /// <summary>GitHub's side: a key that is published, and what it signs.</summary>
    private sealed class Github : IAsyncDisposable
    {
        private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        private readonly HttpListener listener = new();

        public string Url { get; private set; } = "";

        public static Task<Github> StartAsync()
        {
            var github = new Github();
            for (var port = 20_111; ; port++)
            {
                github.Url = $"http://127.0.0.1:{port}/";
                github.listener.Prefixes.Clear();
                github.listener.Prefixes.Add(github.Url);
                try { github.listener.Start(); break; }
                catch (HttpListenerException) { /* somebody else's */ }
            }
            _ = github.ServeAsync();
            return Task.FromResult(github);
        }

        public (string Id, string Signature) Sign(string body) => ("k1", Convert.ToBase64String(key.SignData(Encoding.UTF8.GetBytes(body), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)));

        private async Task ServeAsync()
        {
            try
            {
                while (await listener.GetContextAsync() is { } asked)
                {
                    await asked.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(Set(("k1", key.ExportSubjectPublicKeyInfoPem()))));
                    asked.Response.Close();
                }
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException) { /* over */ }
        }

        public ValueTask DisposeAsync()
        {
            listener.Close();
            key.Dispose();
            return default;
        }
    }
}
