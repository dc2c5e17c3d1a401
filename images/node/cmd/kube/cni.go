package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/util/iptables"
	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"
)

const (
	conflistPath  = "/etc/cni/net.d/10-kind.conflist"
	kubeletConfig = "/etc/kubernetes/kubelet.conf"
	policyQueue   = 100
	resync        = 30 * time.Second
)

// runCNI is the network agent of a node, in place of kindnetd, which no Go
// module serves. It writes the CNI configuration from the node's podCIDR, keeps
// one route to each other node's Pods and the masquerade rule, and enforces
// NetworkPolicy with the engine that kindnetd embeds too.
func runCNI() {
	if err := serveCNI(os.Getenv("NODE_NAME"), os.Getenv("POD_SUBNET")); err != nil {
		klog.ErrorS(err, "kube-cni stops")
		os.Exit(1)
	}
}

func serveCNI(nodeName, podSubnet string) error {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	client, err := newClient()
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, resync)
	nodes := factory.Core().V1().Nodes()

	changed := make(chan struct{}, 1)
	notify := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	if _, err := nodes.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { notify() },
		UpdateFunc: func(any, any) { notify() },
		DeleteFunc: func(any) { notify() },
	}); err != nil {
		return err
	}

	policies, err := networkpolicy.NewController(
		client,
		factory.Networking().V1().NetworkPolicies(),
		factory.Core().V1().Namespaces(),
		factory.Core().V1().Pods(),
		nil, nil, nil, nil,
		// Fail closed: a lab about policies must never pass because the engine is down.
		networkpolicy.Config{QueueID: policyQueue, NodeName: nodeName, NetfilterBug1766Fix: true},
	)
	if err != nil {
		return fmt.Errorf("network policies: %w", err)
	}
	factory.Start(ctx.Done())
	go func() {
		if err := policies.Run(ctx); err != nil && ctx.Err() == nil {
			klog.ErrorS(err, "network policies stop")
			cancel()
		}
	}()

	tables := iptables.New(iptables.ProtocolIPv4)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
		list, err := nodes.Lister().List(labels.Everything())
		if err == nil {
			err = reconcile(nodeName, podSubnet, list, tables)
		}
		if err != nil {
			klog.ErrorS(err, "node network not in order yet")
			time.AfterFunc(time.Second, notify)
		}
	}
}

// newClient reaches the API server by the address that the kubelet uses: the
// Service address would need kube-proxy, which may not be there yet.
func newClient() (*kubernetes.Clientset, error) {
	config, err := rest.InClusterConfig()
	if err != nil {
		return nil, err
	}
	if kubelet, err := clientcmd.LoadFromFile(kubeletConfig); err == nil {
		for _, cluster := range kubelet.Clusters {
			config.Host = cluster.Server
		}
	}
	config.ContentType = "application/vnd.kubernetes.protobuf"
	return kubernetes.NewForConfig(config)
}

// reconcile brings CNI configuration, routes and rules of this node in line
// with the nodes that the API server knows.
func reconcile(nodeName, podSubnet string, nodes []*corev1.Node, tables iptables.Interface) error {
	for _, node := range nodes {
		_, podNet, err := net.ParseCIDR(node.Spec.PodCIDR)
		if err != nil {
			continue // The controller-manager has not given it a range yet.
		}
		if node.Name == nodeName {
			err = writeConflist(podNet.String())
		} else {
			err = replaceRoute(podNet, internalIP(node))
		}
		if err != nil {
			return err
		}
	}
	if err := pruneRoutes(nodes); err != nil {
		return err
	}
	rules := []struct {
		table iptables.Table
		chain iptables.Chain
		args  []string
	}{
		// The engine's own rules need nftables' queue expression, which some
		// kernels lack; a packet that passes both queues gets one verdict twice.
		{iptables.TableMangle, iptables.ChainForward, []string{
			"-m", "conntrack", "--ctstate", "NEW", "-j", "NFQUEUE", "--queue-num", fmt.Sprint(policyQueue)}},
		{iptables.TableNAT, iptables.ChainPostrouting, []string{
			"-s", podSubnet, "!", "-d", podSubnet, "-m", "addrtype", "!", "--dst-type", "LOCAL", "-j", "MASQUERADE"}},
	}
	for _, rule := range rules {
		if _, err := tables.EnsureRule(iptables.Append, rule.table, rule.chain, rule.args...); err != nil {
			return fmt.Errorf("%s %s: %w", rule.table, rule.chain, err)
		}
	}
	return nil
}

func internalIP(node *corev1.Node) net.IP {
	for _, address := range node.Status.Addresses {
		if address.Type == corev1.NodeInternalIP {
			return net.ParseIP(address.Address)
		}
	}
	return nil
}

func replaceRoute(to *net.IPNet, via net.IP) error {
	if via == nil {
		return nil
	}
	if err := netlink.RouteReplace(&netlink.Route{Dst: to, Gw: via, Protocol: routeProtocol}); err != nil {
		return fmt.Errorf("route %s via %s: %w", to, via, err)
	}
	return nil
}

// routeProtocol marks the routes of this agent, so that it removes no other.
const routeProtocol = 99

// pruneRoutes removes this agent's routes to nodes that are gone.
func pruneRoutes(nodes []*corev1.Node) error {
	wanted := map[string]bool{}
	for _, node := range nodes {
		wanted[node.Spec.PodCIDR] = true
	}
	mine, err := netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Protocol: routeProtocol}, netlink.RT_FILTER_PROTOCOL)
	if err != nil {
		return err
	}
	for _, route := range mine {
		if route.Dst != nil && !wanted[route.Dst.String()] {
			if err := netlink.RouteDel(&route); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeConflist puts the CNI configuration in place in one step, so that
// containerd never reads half of it.
func writeConflist(podCIDR string) error {
	conflist, err := json.MarshalIndent(map[string]any{
		"cniVersion": "0.3.1",
		"name":       "kindnet",
		"plugins": []any{
			map[string]any{
				"type": "ptp", "ipMasq": false, "mtu": 1500,
				"ipam": map[string]any{
					"type": "host-local", "dataDir": "/run/cni-ipam-state",
					"routes": []any{map[string]string{"dst": "0.0.0.0/0"}},
					"ranges": []any{[]any{map[string]string{"subnet": podCIDR}}},
				},
			},
			map[string]any{"type": "portmap", "capabilities": map[string]bool{"portMappings": true}},
		},
	}, "", "  ")
	if err != nil {
		return err
	}
	if current, err := os.ReadFile(conflistPath); err == nil && string(current) == string(conflist) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(conflistPath), 0o755); err != nil {
		return err
	}
	next := conflistPath + ".next"
	if err := os.WriteFile(next, conflist, 0o644); err != nil {
		return err
	}
	return os.Rename(next, conflistPath)
}
