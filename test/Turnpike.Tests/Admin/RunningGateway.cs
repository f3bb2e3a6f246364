using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;
using Turnpike.Storage;
using Turnpike.Gateway;
using Turnpike.Tests.Storage;

namespace Turnpike.Tests.Admin;

/// <summary>A whole gateway over a database of its own, with an upstream that answers, on loopback ports nobody else has.</summary>
internal sealed class RunningGateway : IAsyncDisposable
{
    private static readonly HashSet<int> Given = [];
    public const string Key = "admin-key-for-tests-hush";
    public const string TokenSecret = "token-secret-of-more-than-32-bytes-hush";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("turnpike-admin-");
    private readonly List<WebApplication> parts = [];
    private CatalogSource? source;

    private RunningGateway(bool prepaid, bool key, string more = "callers: { named: {} }\nplans: { pro: {} }", bool balance = false, string? payments = null, bool sandbox = false, string paid = "")
    {
        (Public, Admin) = (Free(), Free());
        Upstream = Free();
        Config = Path.Combine(folder.FullName, "turnpike.yaml");
        File.WriteAllText(Config, $$"""
            gateway:
              store: sqlite:{{folder.FullName}}/books.db
              listen: {{Public.GetLeftPart(UriPartial.Authority)}}
              admin: {{Admin.GetLeftPart(UriPartial.Authority)}}
              {{(key ? "admin-key: ${env:ADMIN}" : "sandbox: false")}}
              {{(sandbox ? "sandbox: true" : "")}}
            {{payments ?? (prepaid ? $"payments: {{ prepaid: {{ secret: \"${{env:TOKENS}}\" }}, balance: {(balance ? "true" : "false")} }}" : "")}}
            {{more}}
            services:
              s:
                upstream: {{Upstream.GetLeftPart(UriPartial.Authority)}}
                operations:
                  paid: { match: GET /paid, price: {{(prepaid ? "0.01 USD" : "free")}}{{paid}} }
                  open: { match: GET /open, price: free }
            """);
    }

    public Uri Public { get; }

    public Uri Admin { get; }

    public string Config { get; }

    /// <summary>True: the upstream answers 500.</summary>
    public bool Fails { get; set; }

    public HttpClient Http { get; } = new();

    /// <summary>The headers of the last request the upstream saw.</summary>
    public IHeaderDictionary? Seen { get; private set; }

    public static ConfigEnvironment Environment { get; } = new(name => name switch { "ADMIN" => Key, "TOKENS" => TokenSecret, _ => null }, _ => null);

    private Uri Upstream { get; }

    private WebApplication App { get; set; } = null!;

    public ILedger Ledger => App.Services.GetRequiredService<ILedger>();

    public Database Database => App.Services.GetRequiredService<Database>();

    /// <param name="paid">More keys of the operation that is paid for, such as <c>, cost: 0.002 USD</c>.</param>
    public static async Task<RunningGateway> StartAsync(bool prepaid = true, bool key = true, string more = "callers: { named: {} }\nplans: { pro: {} }", bool balance = false, string? payments = null, bool sandbox = false, string paid = "")
    {
        var gateway = new RunningGateway(prepaid, key, more, balance, payments, sandbox, paid);
        await gateway.StartAsync();
        return gateway;
    }

    /// <summary>Writes the configuration and starts nothing: for commands that work alone.</summary>
    public static RunningGateway Stopped() => new(prepaid: true, key: true);

    public async Task StopAsync()
    {
        foreach (var part in Enumerable.Reverse(parts))
        {
            await part.StopAsync();
            await part.DisposeAsync();
        }
        parts.Clear();
        source?.Dispose();
    }

    public async Task<(HttpStatusCode Status, string Body)> AdminAsync(HttpMethod method, string path, string? json = null, string? key = Key, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, new Uri(Admin, path));
        if (json is not null) request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        using var response = await Http.SendAsync(request);
        if ((int)response.StatusCode >= 400 && path.StartsWith("/admin", StringComparison.Ordinal)) response.Content.Headers.ContentType?.MediaType.ShouldBe("application/problem+json");
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    public Task<(HttpStatusCode Status, string Body)> GetAsync(string path) => AdminAsync(HttpMethod.Get, path);

    public async Task<string> TokenAsync(string budget = "1.00 USD") =>
        Json((await AdminAsync(HttpMethod.Post, "/admin/v1/tokens", $$"""{"budget":"{{budget}}"}""")).Body).GetProperty("token").GetString()!;

    public async Task<HttpResponseMessage> CallAsync(string path, string? token = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Public, path));
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        var answer = await Http.SendAsync(request);
        if (answer.Headers.TryGetValues("Turnpike-Receipt", out var url)) await DeliveredAsync(url.Single().Split('/')[^1]);
        return answer;
    }

    /// <summary>The last byte reaches the caller before the books say so.</summary>
    private async Task DeliveredAsync(string receipt)
    {
        for (var tries = 0; (await Ledger.FindByReceiptAsync(receipt, default))!.Outcome == HoldOutcome.Open; tries++)
        {
            tries.ShouldBeLessThan(6_000, "what was passed on is never booked as delivered");
            await Task.Delay(10);
        }
    }

    public static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Http.Dispose();
        folder.Delete(recursive: true);
    }

    public async Task StartAsync()
    {
        if (Path.Combine(folder.FullName, "books.db") is var store && !File.Exists(store)) EmptyDatabase.Put(store);
        var builder = GatewaySetup.NewHost();
        builder.Services.AddSingleton<Microsoft.Extensions.Logging.ILoggerFactory>(NullLoggerFactory.Instance);
        var upstream = builder.Build();
        upstream.Urls.Add(Upstream.ToString());
        upstream.MapGet("/{any}", (HttpContext http) =>
        {
            Seen = new HeaderDictionary(http.Request.Headers.ToDictionary()); // the server uses its own again
            return Fails ? Results.Text("broken", statusCode: 500) : Results.Text("the goods");
        });
        await upstream.StartAsync();
        parts.Add(upstream);
        source = new CatalogSource(Language.Loader, Environment, Config, TimeProvider.System, NullLogger<CatalogSource>.Instance);
        source.Open().ErrorLines.ShouldBeEmpty();
        App = await Serving.StartAsync(source, default);
        parts.Add(App);
    }

    /// <summary>A port below those the system gives to connections, never the same twice: between looking and listening nobody else may get it.</summary>
    private static Uri Free()
    {
        while (true)
        {
            var port = System.Security.Cryptography.RandomNumberGenerator.GetInt32(20_000, 32_000);
            lock (Given)
                if (!Given.Add(port)) continue;
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return new Uri($"http://127.0.0.1:{port}/");
            }
            catch (SocketException) { /* somebody else's */ }
        }
    }
}
