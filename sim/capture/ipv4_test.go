package capture

import (
	"bytes"
	"encoding/hex"
	"net"
	"net/netip"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"pgregory.net/rapid"

	"github.com/wtsim/wtsim/netem"
)

func TestAPacketHasTheHeadersOfRFC791AndRFC768(t *testing.T) {
	got := appendIPv4(nil, netip.MustParseAddrPort("10.0.0.2:443"), netip.MustParseAddrPort("10.0.0.1:49152"), netem.CE, []byte("abc"))
	// The checksums, added up by hand: of IP 4503+001f+4000+4011+0a00+0002+0a00+0001
	// = d936, of UDP 0a00+0002+0a00+0001+0011+000b+01bb+c000+000b+6162+6300 = 19a47,
	// which folds to 9a48; and their complements.
	const want = "4503001f00004000401126c90a0000020a000001" + "01bbc000000b65b7" + "616263"
	if hex.EncodeToString(got) != want {
		t.Errorf("%x, want %s", got, want)
	}
}

// The checksum of this payload comes out as 0, which would say that there is none
// (RFC 768).
func TestAUDPChecksumIsNever0(t *testing.T) {
	from, to := netip.MustParseAddrPort("0.0.0.0:0"), netip.MustParseAddrPort("0.0.0.0:0")
	// 0011 of the protocol, 000a twice of the length, and ffda make ffff.
	got := appendIPv4(nil, from, to, netem.NotECT, []byte{0xff, 0xda})
	if sum := hex.EncodeToString(got[26:28]); sum != "ffff" {
		t.Errorf("the checksum is %s, want ffff", sum)
	}
}

func TestAnyPacketIsThatOfAnotherImplementation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		address := func(label string) netip.AddrPort {
			ip := [4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, label))
			return netip.AddrPortFrom(netip.AddrFrom4(ip), rapid.Uint16().Draw(t, label+" port"))
		}
		source, dest := address("source"), address("dest")
		ecn := netem.ECN(rapid.IntRange(0, 3).Draw(t, "ecn"))
		payload := bytes.Repeat(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "payload"), rapid.SampledFrom([]int{1, 31, 1600}).Draw(t, "times"))
		got := appendIPv4([]byte("before"), source, dest, ecn, payload)[6:]

		ip := &layers.IPv4{
			Version: 4, TOS: uint8(ecn), Flags: layers.IPv4DontFragment, TTL: 64, Protocol: layers.IPProtocolUDP,
			SrcIP: net.IP(source.Addr().AsSlice()), DstIP: net.IP(dest.Addr().AsSlice()),
		}
		udp := &layers.UDP{SrcPort: layers.UDPPort(source.Port()), DstPort: layers.UDPPort(dest.Port())}
		udp.SetNetworkLayerForChecksum(ip)
		buffer := gopacket.NewSerializeBuffer()
		options := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
		if err := gopacket.SerializeLayers(buffer, options, ip, udp, gopacket.Payload(payload)); err != nil {
			t.Fatal(err)
		}
		want := buffer.Bytes()
		if want[26] == 0 && want[27] == 0 {
			want[26], want[27] = 0xff, 0xff
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%x\nwant %x", got, want)
		}
	})
}
