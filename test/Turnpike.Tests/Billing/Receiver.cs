using System.Net;
using System.Text.Json;

namespace Turnpike.Tests.Billing;

/// <summary>Somebody who is told of use, and who may be told anything about how to behave.</summary>
internal sealed class Receiver
{
    /// <summary>What arrived, copies too, in the order of arrival.</summary>
    public List<(string Subject, string Id)> Arrived { get; } = [];

    public List<(HttpRequestMessage Head, string Body)> Requests { get; } = [];

    /// <summary>Before anything is taken: an answer instead, or null. It may throw: the connection broke.</summary>
    public Func<int, string, HttpResponseMessage?> Instead { get; set; } = (_, _) => null;

    /// <summary>After it was taken: an answer instead of yes.</summary>
    public Func<int, HttpResponseMessage?> Then { get; set; } = _ => null;

    /// <summary>What a receiver has once it has told copies apart.</summary>
    public IReadOnlyList<(string Subject, string Id)> Counted => [.. Arrived.Distinct()];

    public HttpResponseMessage Take(HttpRequestMessage request)
    {
        var body = request.Content!.ReadAsStringAsync().Result;
        var number = Requests.Count;
        Requests.Add((request, body));
        if (Instead(number, body) is { } no) return no;
        var root = JsonDocument.Parse(body).RootElement;
        foreach (var told in root.ValueKind == JsonValueKind.Array ? [.. root.EnumerateArray()] : new[] { root })
            if (told.TryGetProperty("subject", out var subject)) Arrived.Add((subject.GetString()!, told.GetProperty("id").GetString()!));
        return Then(number) ?? new HttpResponseMessage(HttpStatusCode.NoContent);
    }

    public static HttpResponseMessage Says(int status, string body = "") => new((HttpStatusCode)status) { Content = new StringContent(body) };
}
