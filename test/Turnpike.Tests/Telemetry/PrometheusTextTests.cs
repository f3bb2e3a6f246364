using System.Diagnostics;
using Turnpike.Telemetry;

namespace Turnpike.Tests.Telemetry;

/// <summary>What is counted is what is told. Instruments are the process's own, so every test counts under a name of its own.</summary>
public sealed class PrometheusTextTests
{
    [Fact]
    public void Calls_are_counted_by_operation_and_status()
    {
        using var metrics = new PrometheusText();
        for (var i = 0; i < 3; i++) Instruments.Forwarded("told-calls", 200, TimeSpan.FromMilliseconds(30));
        Instruments.Answered("told-calls", "payment-required", 402);
        var text = metrics.Write();
        text.ShouldContain("turnpike_calls_total{operation=\"told-calls\",http_response_status_code=\"200\"} 3\n");
        text.ShouldContain("turnpike_calls_total{operation=\"told-calls\",http_response_status_code=\"402\"} 1\n");
        text.ShouldContain("# TYPE turnpike_calls_total counter\n");
    }

    [Fact]
    public void Buckets_are_cumulative_and_end_at_the_count()
    {
        using var metrics = new PrometheusText();
        foreach (var milliseconds in new[] { 1, 30, 30, 20_000 }) Instruments.Forwarded("told-buckets", 200, TimeSpan.FromMilliseconds(milliseconds));
        var text = metrics.Write();
        text.ShouldContain("turnpike_upstream_duration_seconds_bucket{operation=\"told-buckets\",le=\"0.005\"} 1\n");
        text.ShouldContain("turnpike_upstream_duration_seconds_bucket{operation=\"told-buckets\",le=\"0.025\"} 1\n");
        text.ShouldContain("turnpike_upstream_duration_seconds_bucket{operation=\"told-buckets\",le=\"0.05\"} 3\n");
        text.ShouldContain("turnpike_upstream_duration_seconds_bucket{operation=\"told-buckets\",le=\"10\"} 3\n");
        text.ShouldContain("turnpike_upstream_duration_seconds_bucket{operation=\"told-buckets\",le=\"+Inf\"} 4\n");
        text.ShouldContain("turnpike_upstream_duration_seconds_sum{operation=\"told-buckets\"} 20.061");
        text.ShouldContain("turnpike_upstream_duration_seconds_count{operation=\"told-buckets\"} 4\n");
    }

    [Fact]
    public void Money_is_told_exactly_beyond_what_floating_point_holds()
    {
        using var metrics = new PrometheusText();
        Instruments.Paid("m", "settled", "told-money", (1L << 53) + 1, "USD");
        Instruments.Paid("m", "failed", "told-money", 5, "USD");
        metrics.Write().ShouldContain("turnpike_revenue_total{operation=\"told-money\",currency=\"USD\"} 9007199254740993\n");
    }

    [Fact]
    public void A_label_cannot_break_out_of_its_quotes()
    {
        using var metrics = new PrometheusText();
        Instruments.Answered("a\"b\\c\nd", null, 200);
        metrics.Write().ShouldContain("{operation=\"a\\\"b\\\\c\\nd\",http_response_status_code=\"200\"} 1\n");
    }

    [Fact]
    public void Counting_from_many_threads_loses_nothing()
    {
        using var metrics = new PrometheusText();
        Parallel.For(0, 20_000, i => Instruments.Forwarded("told-threads", 200 + i % 2, TimeSpan.FromMilliseconds(1)));
        var text = metrics.Write();
        text.ShouldContain("{operation=\"told-threads\",http_response_status_code=\"200\"} 10000\n");
        text.ShouldContain("turnpike_upstream_duration_seconds_count{operation=\"told-threads\"} 20000\n");
    }

    [Fact]
    public void Counting_allocates_nothing()
    {
        using var metrics = new PrometheusText();
        void Count() => Instruments.Forwarded("told-allocations", 200, TimeSpan.FromMilliseconds(1));
        for (var i = 0; i < 1000; i++) Count();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) Count();
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(1000);
    }
}

/// <summary>The upstream joins the caller's trace: through our span where there is one, else directly.</summary>
public sealed class TracingTests
{
    private const string Sent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    [Fact]
    public void The_upstream_sees_our_span_in_the_callers_trace()
    {
        using var listener = new ActivityListener { ShouldListenTo = s => s.Name is Tracing.SourceName or "tracing-tests", Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded };
        ActivitySource.AddActivityListener(listener);
        using var source = new ActivitySource("tracing-tests");
        using var span = source.StartActivity("call", ActivityKind.Server, Sent)!;
        using var request = Request();
        Tracing.PassOn(request, "forecast", "c_1", "mine-7");
        var passed = request.Headers.GetValues("traceparent").ShouldHaveSingleItem();
        passed.ShouldStartWith("00-0af7651916cd43dd8448eb211c80319c-");
        passed.ShouldContain(span.SpanId.ToHexString());
        span.GetTagItem("turnpike.correlation").ShouldBe("c_1");
        span.GetTagItem("http.request.header.x-request-id").ShouldBe("mine-7");
    }

    [Fact]
    public void Without_a_listener_the_callers_own_context_goes_through()
    {
        using var request = Request();
        Tracing.PassOn(request, "forecast", "c_1", null);
        request.Headers.GetValues("traceparent").ShouldBe([Sent]);
    }

    [Fact]
    public async Task The_trace_reaches_the_upstream_through_the_whole_gateway()
    {
        await using var gateway = await Admin.RunningGateway.StartAsync();
        using var answer = await gateway.CallAsync("/open", null, ("traceparent", Sent), ("tracestate", "vendor=1"));
        gateway.Seen!.TraceParent.ToString().ShouldStartWith("00-0af7651916cd43dd8448eb211c80319c-");
        gateway.Seen.TraceState.ToString().ShouldBe("vendor=1");
    }

    [Fact]
    public async Task Where_somebody_listens_the_upstream_joins_the_span_of_the_call()
    {
        var spans = new System.Collections.Concurrent.ConcurrentBag<string>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = s => s.Name is Tracing.SourceName or "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStarted = span => spans.Add(span.Id!),
        };
        ActivitySource.AddActivityListener(listener);
        await using var gateway = await Admin.RunningGateway.StartAsync();
        using var answer = await gateway.CallAsync("/open", null, ("traceparent", Sent));
        var passed = gateway.Seen!.TraceParent.ToString();
        passed.ShouldStartWith("00-0af7651916cd43dd8448eb211c80319c-");
        passed.ShouldNotBe(Sent);
        spans.ShouldContain(passed);
    }

    private static HttpRequestMessage Request()
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "http://upstream.test/");
        request.Headers.Add("traceparent", Sent);
        return request;
    }
}
