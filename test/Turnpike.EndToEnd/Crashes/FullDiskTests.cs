using System.Diagnostics;
using System.Net;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Crashes;

/// <summary>A disk that is full, for real: the data folder lies on a file system of a few megabytes.</summary>
public sealed class FullDiskTests(Chain chain)
{
    [Fact]
    public async Task On_a_full_disk_nothing_is_promised_and_with_room_again_nothing_is_lost()
    {
        await using var api = await PaidApi.StartAsync(chain);
        var token = await api.TokenAsync("100.00 USD");
        var data = Path.Combine(api.Gateway.Folder, "data");
        (await api.Gateway.StopAsync()).ShouldBe(0);
        if (!Run("mount", "-t", "tmpfs", "-o", "size=3m,mode=700", "tmpfs", data + ".small")) Assert.Skip("No file system can be mounted here.");
        try
        {
            Run("sh", "-c", $"cp -a {data}/. {data}.small/ && mount --move {data}.small {data}").ShouldBeTrue();
            await api.Gateway.StartAgainAsync();
            await FillAsync(api, token, data);
        }
        finally
        {
            await api.Gateway.KillAsync();
            Run("umount", data);
        }
    }

    private static async Task FillAsync(PaidApi api, string token, string data)
    {
        List<(Purchase Purchase, string Body)> answered = [];
        Purchase? refused = null;
        for (var number = 0; refused is null; number++)
        {
            number.ShouldBeLessThan(5_000, "the disk never filled");
            var purchase = await Purchase.OnAsync(api, "prepaid", token, number);
            // Broken off: the money was taken in time, that the answer had passed could not be written any more.
            var told = await purchase.PresentAsync() ?? await purchase.PresentAsync();
            if (told is { Status: HttpStatusCode.OK }) answered.Add((purchase, told.Body));
            else
            {
                (told?.Status, told?.Reason).ShouldBe((HttpStatusCode.ServiceUnavailable, "store-down"), $"After {answered.Count}: {api.Gateway.Log}");
                refused = purchase;
            }
        }
        answered.Count.ShouldBeGreaterThan(10);
        await api.Gateway.KillAsync();
        Run("mount", "-o", "remount,size=64m", data).ShouldBeTrue();
        await api.Gateway.StartAgainAsync();
        (await refused.InsistAsync()).Status.ShouldBe(HttpStatusCode.OK);
        foreach (var (purchase, body) in answered.Where((_, i) => i % 20 == 0 || i > answered.Count - 5))
            if (await purchase.InsistAsync() is { Status: HttpStatusCode.OK } again) again.Body.ShouldBe(body);
        (await Purchase.ChargedAsync(api, "prepaid", token)).ShouldBe(answered.Count + 1);
        await Purchase.SettledAsync(api);
    }

    private static bool Run(string program, params string[] args)
    {
        if (args[^1].EndsWith(".small", StringComparison.Ordinal)) Directory.CreateDirectory(args[^1]);
        try
        {
            using var run = Process.Start(new ProcessStartInfo(program, args) { RedirectStandardError = true })!;
            run.WaitForExit();
            return run.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception) { return false; }
    }
}
