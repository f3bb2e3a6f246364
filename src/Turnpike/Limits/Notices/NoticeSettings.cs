using Turnpike.Catalog;

namespace Turnpike.Limits.Notices;

/// <summary>The <c>notify:</c> section: where operators' tools hear what they should not have to look for.</summary>
internal sealed record NoticeSettings(Uri Url, Secret Secret);
