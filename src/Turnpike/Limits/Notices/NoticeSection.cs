using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;

namespace Turnpike.Limits.Notices;

/// <summary>The <c>notify:</c> section.</summary>
internal static class NoticeSection
{
    private static readonly Key<Uri> Url = new("url", Shapes.KeyedUrl, "Where it is posted.") { Required = true, Example = "http://127.0.0.1:9200/turnpike" };
    private static readonly Key<Secret> Secret = new("secret", new SecretShape(16), "Signs it (webhook-signature, HMAC-SHA256).") { Required = true, Example = "${env:TURNPIKE_TOKEN_SECRET}" };

    private static readonly Key<NoticeSettings> Key = new("notify", new MapShape<NoticeSettings>([Url, Secret], m => new NoticeSettings(m.Get(Url)!, m.Get(Secret))),
        "Who is told at once, by signed webhook, when a breaker trips, a key is found in public, or a caller waits for a yes. The audit trail has it in any case.") { Default = "nobody", Example = "{ url: \"http://127.0.0.1:9200/turnpike\", secret: \"${env:TURNPIKE_TOKEN_SECRET}\" }" };

    public static readonly Section Section = new(Scope.Document, Key);
}
