namespace Turnpike.Gateway.Metered;

/// <summary>An upstream's body with a meter in it, in the upstream's place.</summary>
internal sealed class MeteredContent(HttpContent upstream, AnswerMeter meter) : PassedContent(upstream)
{
    protected override Stream Around(Stream body) => new MeteredStream(body, meter);
}
