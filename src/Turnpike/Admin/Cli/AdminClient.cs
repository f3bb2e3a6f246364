using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Turnpike.Catalog;

namespace Turnpike.Admin.Cli;

/// <summary>Asks the gateway that runs on this configuration, with its own admin key, on the address operators use.</summary>
internal sealed class AdminClient : IDisposable
{
    private const long MostAnswer = 1 << 20;
    private readonly HttpClient http;

    private AdminClient(HttpClient http) => this.http = http;

    /// <exception cref="AdminRefusal">No admin key is configured.</exception>
    public static AdminClient For(GatewaySettings gateway)
    {
        if (gateway.AdminKeys.Count == 0) throw new AdminRefusal("A gateway runs on this store, and no gateway.admin-key is configured to ask it with.", CommandRun.WrongInput);
        var http = GuardedHttp.Create(Reachable(new Uri(gateway.Admin)), TimeSpan.FromSeconds(30), MostAnswer);
        http.BaseAddress = Reachable(new Uri(gateway.Admin));
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", gateway.AdminKeys[0].Reveal());
        return new AdminClient(http);
    }

    public Task<TAnswer> PostAsync<TBody, TAnswer>(string path, TBody body, JsonTypeInfo<TBody> from, JsonTypeInfo<TAnswer> to, CancellationToken ct, string? idempotencyKey = null) =>
        SendAsync(HttpMethod.Post, path, body, from, to, ct, idempotencyKey);

    public async Task<TAnswer> SendAsync<TBody, TAnswer>(HttpMethod method, string path, TBody body, JsonTypeInfo<TBody> from, JsonTypeInfo<TAnswer> to, CancellationToken ct, string? idempotencyKey = null)
    {
        using var request = new HttpRequestMessage(method, new Uri("admin/v1/" + path, UriKind.Relative)) { Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, from)) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (idempotencyKey is not null) request.Headers.Add("Idempotency-Key", idempotencyKey);
        using var response = await http.SendAsync(request, ct);
        var text = await response.Content.ReadAsByteArrayAsync(ct);
        if (!response.IsSuccessStatusCode) throw Refusal(response.StatusCode, text);
        return JsonSerializer.Deserialize(text, to) ?? throw new AdminRefusal("The gateway answered nothing.", CommandRun.Failed);
    }

    public async Task<T> GetAsync<T>(string path, JsonTypeInfo<T> to, CancellationToken ct) =>
        JsonSerializer.Deserialize(await GetAsync(path, ct), to) ?? throw new AdminRefusal("The gateway answered nothing.", CommandRun.Failed);

    public async Task DeleteAsync(string path, CancellationToken ct)
    {
        using var response = await http.DeleteAsync(new Uri("admin/v1/" + path, UriKind.Relative), ct);
        if (!response.IsSuccessStatusCode) throw Refusal(response.StatusCode, await response.Content.ReadAsByteArrayAsync(ct));
    }

    public async Task<byte[]> GetAsync(string path, CancellationToken ct)
    {
        using var response = await http.GetAsync(new Uri("admin/v1/" + path, UriKind.Relative), ct);
        var body = await response.Content.ReadAsByteArrayAsync(ct);
        return response.IsSuccessStatusCode ? body : throw Refusal(response.StatusCode, body);
    }

    public void Dispose() => http.Dispose();

    /// <summary>An address that stands for all of a machine's is reached at its loopback.</summary>
    private static Uri Reachable(Uri admin) => admin.Host is "0.0.0.0" or "[::]" ? new UriBuilder(admin) { Host = "127.0.0.1" }.Uri : admin;

    private static AdminRefusal Refusal(HttpStatusCode status, byte[] body)
    {
        var code = status switch { HttpStatusCode.BadRequest => CommandRun.WrongInput, >= HttpStatusCode.InternalServerError => CommandRun.Failed, _ => CommandRun.Refused };
        try
        {
            using var problem = JsonDocument.Parse(body);
            return new AdminRefusal($"The gateway refused ({(int)status}): {problem.RootElement.GetProperty("title").GetString()}. {problem.RootElement.GetProperty("detail").GetString()}", code);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return new AdminRefusal($"The gateway refused ({(int)status}).", code);
        }
    }
}

/// <summary>The service said no to a command.</summary>
internal sealed class AdminRefusal(string message, int exitCode) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
